"""A wall clock of a service's own, which a test sets, moves and speeds up while the service runs."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_name("clock.c")
_PAGE = 4096
_DOUBLES = struct.Struct("3d")


class WallClock:
    """`variables` make a process tell this time. The test is skipped where there is no C compiler to build it."""

    def __init__(self, path: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("a wall clock of a service's own needs a C compiler")
        library, page = path / "clock.so", path / "clock"
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        page.write_bytes(bytes(_PAGE))
        with page.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _PAGE)
        self.variables = {"LD_PRELOAD": str(library), "BELLWETHER_TEST_CLOCK": str(page)}
        self.show(time.time())

    def show(self, moment: float, rate: float = 1.0) -> None:
        """Tell a moment, in UTC seconds, as now; from then on so many seconds pass in each."""
        since = float(int(time.time()))
        ahead = moment - since - (time.time() - since) * rate
        _DOUBLES.pack_into(self._page, 0, since, ahead, rate)

    def jump(self, by_s: float) -> None:
        """Tell so many seconds more, or less, than it really is."""
        self.show(time.time() + by_s)
