"""The detectors of a brand: what they find does not hang on batches, and becomes one crisis at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import msgspec
import pytest

from bellwether.catalogue.cuts import TOTAL
from bellwether.domain.detection import Counts
from bellwether.domain.incidents import State, Step, Word, account
from bellwether_compute.detecting import Later, Text, Watch, texts_in
from bellwether_compute.detector_rows import Kept
from bellwether_compute.settlement import ToldStep
from tests.support.detected import Heard, findings
from tests.unit.compute.folding import NOW, Folding, StoredRecord, brand_state, envelope

HOUR, DAY = 3600, 86_400
START = 1_767_225_600
ZONE = "America/New_York"
_KEPT = msgspec.msgpack.Decoder(Kept)


class Desk:
    """A brand whose detectors are stored after every batch, and loaded again before some."""

    def __init__(self) -> None:
        self.brand = brand_state(ZONE)
        self.kept: dict[str, Kept] = {}
        self.hours: dict[str, dict[int, Counts]] = {}
        self.told: list[ToldStep] = []
        self.due_at: int | None = None
        self.watch = Watch(self.brand, {})
        self.offset = 0

    def hear(self, texts: Sequence[Heard], *, restarts: bool = False, later: Sequence[Later] = ()) -> None:
        """Take a batch; `later` is what it tells of crises."""
        if restarts:
            self.watch = Watch(self.brand, self.kept)
        logged = [self._logged(text) for text in texts]
        for cut, since in self.watch.wanted(logged).items():
            rows = self.hours.get(cut, {})
            self.watch.remember(cut, {hour: counts for hour, counts in rows.items() if hour >= since})
        self.watch.hear(logged, later)
        self._commit()

    def wait(self, until: int) -> None:
        """Nothing was recorded up to a moment."""
        self.watch.wait_until(until * 1000)
        self._commit()

    def say(self, phase: Any, at: int, **said: Any) -> None:
        """A person takes a step of the last crisis."""
        step = Step(at, phase, (), Word("/people", f"{phase} {at}", "Dana", **said))
        self.brand.affairs.take_step(self.told[-1].incident_id, step, at)

    def _logged(self, text: Heard) -> Text:
        self.offset += 1
        record: Any = StoredRecord(0, self.offset, text.recorded * 1000, b"", b"")
        return text.at, text.channel, text.negative, record

    def _commit(self) -> None:
        for told in self.watch.take_told():
            self.told.append(told)
            self.brand.affairs.take_step(told.incident_id, told.step, told.recorded_ms // 1000)
        for cut, moved in self.watch.take_moved().items():
            self.kept[cut] = _KEPT.decode(moved.state)
            self.due_at = moved.due_at if cut == TOTAL else self.due_at
            for hour, counts in moved.added.items():
                before = self.hours.setdefault(cut, {}).get(hour, [0] * len(counts))
                self.hours[cut][hour] = [x + y for x, y in zip(before, counts, strict=True)]

    @property
    def steps(self) -> list[tuple[str, int]]:
        """What was told, and when it happened."""
        return [(told.step.phase, told.step.at) for told in self.told]

    @property
    def outcome(self) -> list[tuple[object, ...]]:
        """All that was told."""
        return [told[1:] for told in self.told]

    @property
    def incidents(self) -> set[str]:
        """The crises there are."""
        return {told.incident_id for told in self.told}


def calm(random: Random, start: int, hours: float, per_hour: float, channel: str = "x") -> Iterator[Heard]:
    """So much an hour, at random."""
    at = float(start)
    while (at := at + random.expovariate(per_hour / HOUR)) < start + hours * HOUR:
        yield Heard(int(at), int(at) + random.randrange(5), channel, random.choice([True, False, False, None]))


def burst(start: int, count: int = 120, channel: str = "x") -> list[Heard]:
    """So many angry texts within ten minutes."""
    return [Heard(start + n * 600 // count, start + n * 600 // count, channel, True) for n in range(count)]


def in_order(*streams: Sequence[Heard] | Iterator[Heard]) -> list[Heard]:
    return sorted((text for stream in streams for text in stream), key=lambda text: text.recorded)


@pytest.fixture(scope="module")
def storm() -> list[Heard]:
    """Eleven days on two channels, with three crises; some texts come late."""
    random = Random(5)
    texts = in_order(
        *(calm(random, START, 11 * 24, rate, channel) for channel, rate in (("x", 8.0), ("instagram", 2.0))),
        burst(START + 3 * DAY, channel="instagram", count=40),
        burst(START + 6 * DAY, count=200),
        burst(START + 6 * DAY + 1800, channel="instagram"),
        burst(START + 9 * DAY, count=150),
    )
    late = (text._replace(at=text.at - random.choice([0, 0, 0, 0, 400, 9 * HOUR])) for text in texts)
    return list(late)


def split(texts: Sequence[Heard], size: Callable[[], int]) -> Iterator[Sequence[Heard]]:
    start = 0
    while start < len(texts):
        end = start + size()
        yield texts[start:end]
        start = end


def test_findings_are_those_of_pure_detectors_fed_one_text_after_the_other(storm: list[Heard]) -> None:
    desk = Desk()
    desk.hear(storm)
    numbers = [msgspec.json.decode(told.step.word.numbers) for told in desk.told if told.step.word.onset is not None]
    found = [(n["cut"], n["change"], n["at"], n["severity"]) for n in numbers]
    wanted = findings(storm, ZONE)
    assert found == [(one.cut, one.kind, one.at, one.severity) for one in wanted]
    assert {one.cut for one in wanted} == {"", "channel=x", "channel=instagram"}


@pytest.mark.parametrize("seed", range(4))
def test_batches_and_restarts_between_any_two_texts_change_nothing(storm: list[Heard], seed: int) -> None:
    whole, random = Desk(), Random(seed)
    whole.hear(storm)
    pieces = Desk()
    for batch in split(storm, lambda: random.choice([1, 3, 40, 700])):
        pieces.hear(batch, restarts=random.random() < 0.5)
    assert pieces.outcome == whole.outcome
    assert pieces.hours == whole.hours
    assert pieces.kept == {cut: _KEPT.decode(msgspec.msgpack.encode(kept)) for cut, kept in whole.kept.items()}
    assert pieces.due_at == whole.due_at


def test_a_restart_between_any_two_texts_of_a_crisis_changes_nothing() -> None:
    texts = in_order(calm(Random(2), START, 52, 10), burst(START + 50 * HOUR))
    whole, pieces = Desk(), Desk()
    whole.hear(texts)
    pieces.hear(texts[:450])
    for text in texts[450:]:
        pieces.hear([text], restarts=True)
    assert pieces.outcome == whole.outcome
    assert len(whole.told) > 1


def known_for_two_days(channel: str = "x") -> Desk:
    desk = Desk()
    desk.hear(in_order(calm(Random(1), START, 48, 6, channel), calm(Random(2), START, 48, 6, "y")))
    assert desk.told == []
    return desk


CRISIS = START + 48 * HOUR


def test_a_crisis_opens_grows_and_is_stable_after_twelve_quiet_hours() -> None:
    desk = known_for_two_days()
    desk.hear(burst(CRISIS, 200))
    phases = [phase for phase, _ in desk.steps]
    assert phases[0] == "opened"
    assert "escalated" in phases
    assert len(desk.incidents) == 1
    desk.hear([Heard(CRISIS + 14 * HOUR, CRISIS + 14 * HOUR, "x", False)])
    assert desk.steps[-1] == ("stable", CRISIS + 12 * HOUR + 600)


def test_what_is_due_is_told_of_the_same_by_the_next_event_and_by_waiting() -> None:
    waits, hears = known_for_two_days(), known_for_two_days()
    for desk in (waits, hears):
        desk.hear(burst(CRISIS))
    due_at = waits.due_at
    assert due_at is not None
    waits.wait(due_at - 1)
    assert waits.outcome == hears.outcome
    waits.wait(due_at)
    assert waits.steps[-1][0] == "stable"
    waits.wait(due_at + DAY)
    assert waits.steps[-1] == ("resolved", waits.steps[-2][1] + DAY)
    hears.hear([Heard(CRISIS + 3 * DAY, CRISIS + 3 * DAY, "x", None)])
    assert hears.outcome == waits.outcome


def test_a_channel_that_joins_a_crisis_of_the_brand_is_noted_and_calls_nobody() -> None:
    desk = known_for_two_days()
    desk.hear(burst(CRISIS))
    assert [(told.step.phase, msgspec.json.decode(told.step.word.numbers)["cut"]) for told in desk.told][:1] == [
        ("opened", "")
    ]
    in_channel = [t for t in desk.told if msgspec.json.decode(t.step.word.numbers)["cut"]]
    assert in_channel
    assert {told.step.phase for told in in_channel} == {"noted"}


def test_a_crisis_of_a_channel_that_becomes_one_of_the_brand_is_the_same_and_escalates() -> None:
    desk = Desk()
    quiet = calm(Random(3), START, 60, 0.8, "quiet")
    desk.hear(in_order(calm(Random(1), START, 60, 120), quiet))
    desk.hear(burst(START + 60 * HOUR, 20, "quiet"))
    assert desk.told[0].step.cuts == ("", "channel=quiet")
    desk.hear(burst(START + 60 * HOUR + 900, 400, "x"))
    joined = [t.step.phase for t in desk.told if msgspec.json.decode(t.step.word.numbers)["cut"] == ""]
    assert joined
    assert joined[0] == "escalated"
    assert len(desk.incidents) == 1


def test_what_flares_up_within_a_day_is_the_same_crisis_and_later_another_one() -> None:
    desk = known_for_two_days()
    desk.hear(burst(CRISIS))
    desk.hear(burst(CRISIS + 20 * HOUR, 300))
    assert len(desk.incidents) == 1
    assert "reopened" in [phase for phase, _ in desk.steps]
    desk.hear(burst(CRISIS + 4 * DAY, 900))
    assert len(desk.incidents) == 2
    assert [phase for phase, _ in desk.steps].count("resolved") == 1


def test_what_grows_after_somebody_resolved_it_is_reopened() -> None:
    desk = known_for_two_days()
    desk.hear(burst(CRISIS, 20))
    desk.say("resolved", desk.steps[-1][1] + 1, reason="false")
    before = len(desk.told)
    desk.hear([text._replace(at=CRISIS + 700, recorded=CRISIS + 700) for text in burst(CRISIS, 400)])
    aloud = [told.step.phase for told in desk.told[before:] if told.step.phase != "noted"]
    assert aloud[:1] == ["reopened"]
    assert account(desk.brand.affairs.incident(desk.told[0].incident_id).steps).state is State.OPEN  # type: ignore[union-attr]


def test_what_is_said_later_in_the_log_is_not_known_yet() -> None:
    desk = known_for_two_days()
    desk.hear(burst(CRISIS, 20))
    opened = desk.told[0]
    at = desk.steps[-1][1] + 1
    desk.say("resolved", at, reason="false")
    said = Step(at, "resolved", (), Word("/people", f"resolved {at}", "Dana", reason="false"))
    before = len(desk.told)
    texts = [text._replace(at=CRISIS + 700, recorded=CRISIS + 700) for text in burst(CRISIS, 400)]
    desk.hear(texts, later=[Later(desk.offset + len(texts) + 1, opened.incident_id, said)])
    aloud = [told.step.phase for told in desk.told[before:] if told.step.phase != "noted"]
    assert aloud[:1] == ["escalated"]


def test_what_grows_after_it_was_merged_grows_the_crisis_that_it_is_a_part_of() -> None:
    desk = known_for_two_days()
    desk.hear(burst(CRISIS, 20))
    at = desk.steps[-1][1]
    desk.brand.affairs.take_step("other", Step(at - 50, "opened", ("",)), at)
    desk.say("merged", at + 1, into="other")
    before = len(desk.told)
    desk.hear([text._replace(at=CRISIS + 700, recorded=CRISIS + 700) for text in burst(CRISIS, 400)])
    aloud = [(t.incident_id, t.step.phase) for t in desk.told[before:] if t.step.phase != "noted"]
    assert aloud[:1] == [("other", "escalated")]


def test_somebody_who_reopened_it_is_not_overruled_by_time() -> None:
    desk = known_for_two_days()
    desk.hear(burst(CRISIS))
    assert desk.due_at is not None
    desk.wait(desk.due_at)
    stable_at = desk.steps[-1][1]
    desk.say("reopened", stable_at + HOUR)
    desk.wait(CRISIS + 5 * DAY)
    assert desk.steps[-1] == ("stable", stable_at)


def test_what_is_heard_is_what_the_measures_count() -> None:
    folding = Folding(score=lambda text: -1.0 if "bad" in text else 1.0)
    changes = folding.apply(
        [
            envelope("social.mention.v1", "1", NOW - 9, of="aurora", text="bad"),
            envelope("social.mention.v1", "2", NOW - 8, of="rival", text="bad"),
            envelope("social.mention.v1", "3", NOW - 7, of="aurora", sentiment=-0.05),
            envelope("social.message.received.v1", "4", NOW - 6, conversation_id="c", message_id="m", kind="query"),
            envelope("social.interaction.v1", "5", NOW - 5, kind="comment", content_id="p", text="bad"),
            envelope("social.mention.v1", "1", NOW - 9, of="aurora", text="bad"),
        ]
    )
    (texts,) = texts_in(changes.heard).values()
    assert [(at, negative) for at, _, negative, _ in texts] == [(NOW - 9, True), (NOW - 7, True), (NOW - 6, None)]
