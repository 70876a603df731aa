"""Where the shared data lie: beside the checkout."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
ABSENT = f"the data sets are not in {DATA}"
