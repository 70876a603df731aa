"""What is in Kafka, in PostgreSQL and in the API at the end, beside what was sent and what the oracle says of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.faults.harness.arena import Arena
from tests.faults.harness.readers import told_wrong
from tests.support.audit import Audit, audit
from tests.support.flow import expected_of_log
from tests.support.ledger import Ledger
from tests.support.oracle import Expected, Logged

_READ_S = 300.0
_TOLD_S = 60.0
_OUTCOMES = ("applied", "duplicate", "conflicting", "quarantined")


@dataclass
class Verdict:
    """The books of a run. lost, double: as far as they can be counted; `failures` says all that is wrong."""

    sent: int = 0
    accepted: int = 0
    records: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    double: int = 0
    failures: list[str] = field(default_factory=list)


async def judge(arena: Arena, ledger: Ledger, sent: int, accepted: int, headers: Mapping[str, str]) -> Verdict:
    """Hold everything against everything. What was sent has to be accepted, and what is in the log applied."""
    expected, records = await expected_of_log(ledger, arena.kafka, arena.topics.events, _READ_S)
    found = await audit(arena.dsn, arena.topics.events, expected)
    verdict = Verdict(sent, accepted, len(records), found.outcomes)
    missing = _missing(ledger, records)
    verdict.lost = missing + max(found.lost, _more(expected, found))
    verdict.double = max(found.double, -_more(expected, found))
    verdict.failures += found.differences
    if missing:
        verdict.failures.append(f"{missing} accepted events are not in the log")
    if sum(found.outcomes[outcome] for outcome in _OUTCOMES) != len(records):
        verdict.failures.append(f"{len(records)} records in the log, but the outcomes are {dict(found.outcomes)}")
    verdict.failures += await told_wrong(arena.api.url, headers, expected, 0 if verdict.failures else _TOLD_S)
    return verdict


def _missing(ledger: Ledger, records: list[Logged]) -> int:
    """How many entries of the ledger are not in the log; what is there and not in the ledger counts as well."""
    log, wanted = Counter((r.key, r.value) for r in records), Counter((e.key, e.value) for e in ledger.entries)
    return (wanted - log).total() + len(log.keys() - wanted.keys())


def _more(expected: Expected, found: Audit) -> int:
    """How many events more should have been applied than were; below 0: fewer."""
    return expected.outcome("applied") - found.outcomes["applied"]


async def all_applied(arena: Arena, within_s: float) -> None:
    """Wait until all that is in the log is applied. Raises TimeoutError."""
    ends = await arena.ends()
    async with asyncio.timeout(within_s):
        while True:
            applied = await arena.applied()
            if all(applied[part] >= end for part, end in ends.items()):
                return
            await asyncio.sleep(0.1)
