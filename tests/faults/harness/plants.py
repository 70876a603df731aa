"""Bugs to plant: each a few words of the services changed, in a copy from which the processes of a run are started."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tests.support.ledger import Mix

_PACKAGES = ("bellwether", "bellwether_ingest", "bellwether_compute", "bellwether_api")


class DoesNotFit(Exception):
    """The text that a bug is planted into is not there exactly once."""


@dataclass(frozen=True, slots=True)
class Change:
    """A text of a module, named from the package on, and what stands in its place in the copy."""

    module: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Hunt:
    """The shortest run that finds a bug: which faults strike, how often, and what events there are."""

    kinds: tuple[str, ...]
    faults: int
    events: int = 3_000
    mix: Mix = field(default_factory=Mix)


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug and the run that has to find it."""

    name: str
    changes: tuple[Change, ...]
    hunt: Hunt


_LOST = Hunt(("postgres: answer to COMMIT lost", "postgres: a request of a transaction lost"), 8)
_DEATHS = Hunt(("every compute killed",), 4, mix=Mix(duplicates=0.4, late=0.9, days_late=0.9))
_THEFTS = Hunt(("epochs stolen",), 3)

_STORE = "bellwether_compute/store.py"
_WORKER = "bellwether_compute/worker.py"
_LOG_SIDE = "        await _write_log_side(connection, stream, {a.part: a for a in advances}, changes)\n"
_MOVE = "    async with connection.transaction():\n        await _advance(connection, stream, sorted(advances))\n"
_COMPARED = "AND o.epoch = told.epoch AND o.next_offset = told.expected"

BUGS = (
    Bug(
        "commit before apply",
        (Change(_STORE, _LOG_SIDE, f"    async with connection.transaction():\n{_LOG_SIDE}"),),
        _LOST,
    ),
    Bug(
        "no epoch fence",
        (Change(_STORE, _COMPARED, "AND told.epoch IS NOT NULL AND o.next_offset = told.expected"),),
        _THEFTS,
    ),
    Bug(
        "no seek after failure",
        (
            Change(
                _WORKER,
                "            self._note_refusal(batches, error)\n            self._drop([*self._claimed])\n",
                "            self._note_refusal(batches, error)\n",
            ),
            Change(
                _WORKER,
                '        log.warning("cycle failed", error=self.trouble)\n        self._drop([*self._claimed])\n',
                '        log.warning("cycle failed", error=self.trouble)\n',
            ),
        ),
        _LOST,
    ),
    Bug(
        "dedup mark before the write",
        (
            Change(
                _STORE,
                _MOVE,
                f"    await _write_seen(connection, stream, {{a.part: a for a in advances}}, changes)\n{_MOVE}",
            ),
            Change(
                _STORE,
                "    await _write(connection, _SEEN, seen, stream)\n    ledger = ",
                "    ledger = ",
            ),
            Change(
                _STORE,
                "async def _write_measures(",
                "async def _write_seen(connection, stream, advances, changes):\n"
                "    seen = [\n"
                '        (part, day, advances[part].epoch, advances[part].expected, b"".join(entries))\n'
                "        for (part, day), entries in changes.seen.items()\n"
                "    ]\n"
                "    await _write(connection, _SEEN, seen, stream)\n\n\n"
                "async def _write_measures(",
            ),
        ),
        _LOST,
    ),
    Bug(
        "offset reset to latest",
        (
            Change(
                "bellwether_compute/claims.py",
                "self._reader.seek(part, next_offset)",
                "self._reader.seek(part, end)",
            ),
        ),
        _DEATHS,
    ),
    Bug(
        "dedup horizon off by one",
        (
            Change(
                "bellwether_compute/loading.py",
                "    await open_days(connection, stream, partition, (day * 86_400 for day in days))\n",
                "    await open_days(connection, stream, partition, (day * 86_400 for day in days))\n"
                "    partition.seen.open_days.add(days[0] - 1)\n",
            ),
        ),
        _DEATHS,
    ),
)


def source(package: str) -> Path:
    """The folder of an importable package."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(found.submodule_search_locations[0])


def changed(bug: Bug) -> dict[str, str]:
    """The modules of a bug with it in them. Raises DoesNotFit."""
    texts: dict[str, str] = {}
    for change in bug.changes:
        package, _, rest = change.module.partition("/")
        text = texts.get(change.module) or (source(package) / rest).read_text()
        if text.count(change.old) != 1:
            raise DoesNotFit(f"{bug.name}: {change.module} has {text.count(change.old)} times: {change.old}")
        texts[change.module] = text.replace(change.old, change.new)
    return texts


def plant(bug: Bug | None, path: Path) -> Path:
    """A copy of all packages with a bug, or none, in it; gives the folder to import from. Raises DoesNotFit."""
    texts = changed(bug) if bug else {}
    for package in _PACKAGES:
        shutil.copytree(source(package), path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for module, text in texts.items():
        (path / module).write_text(text)
    return path
