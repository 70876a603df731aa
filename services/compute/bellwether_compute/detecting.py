"""The detectors of a brand: of all that is said to it and about it, and of each channel, fed in the order of the log.

What they find depends on the log alone. Time that goes by without an event is the intake's: what is due so long after
the latest event is told of by the next one, or by the worker where none comes, as of the same moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from bellwether.adapters.kafka.log_reader import Record
from bellwether.catalogue.cuts import TOTAL, cuts_by
from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.domain.detection import DEFAULTS, Change, Counts, Detector, History, Interval, Live
from bellwether.domain.incidents import Step
from bellwether.wire.events import Mention, MessageReceived
from bellwether_compute.changes import Heard
from bellwether_compute.detector_rows import Kept, Moved
from bellwether_compute.episodes import NewStep, Told, end, follow, part_of_log
from bellwether_compute.settlement import ToldStep
from bellwether_compute.state import BrandState

_TEXTS = frozenset({Mention, MessageReceived})
_IS_NEGATIVE = {"negative": True, "neutral": False, "positive": False, None: None}
_NEVER = 1 << 62
_READ_S = DEFAULTS.history_days * DAY_S + 2 * HOUR_S
_KEPT_S = 92 * DAY_S
"""Hours are kept for a quarter of a year, so that settings can be tried on them."""


Text = tuple[int, str, bool | None, Record]
"""A mention of a brand, or a message to it: when it happened (UTC seconds), its channel, whether it is negative (None:
not scored), and its record.
"""


class Later(NamedTuple):
    """A step that an event of the batch tells of, at this offset."""

    offset: int
    incident_id: str
    step: Step


def texts_in(heard: Iterable[Heard]) -> dict[BrandState, list[Text]]:
    """What is said about brands and to them, as the KPIs count it, by brand in the order of the log."""
    found: dict[BrandState, list[Text]] = {}
    for (record, brand, event, at), derived in heard:
        if type(event) in _TEXTS and derived.own:
            texts = found.get(brand)
            if texts is None:
                texts = found[brand] = []
            texts.append((at, event.data.channel, _IS_NEGATIVE[derived.label], record))
    return found


class Watch:
    """The detectors of one brand.

    kept: what was stored of them, by cut
    campaigns: when more volume than usual is expected
    """

    def __init__(self, brand: BrandState, kept: Mapping[str, Kept], campaigns: Sequence[Interval] = ()) -> None:
        total = kept.get(TOTAL) or Kept(Live())
        self._brand = brand
        self._campaigns = campaigns
        self._lives = {cut: one.live for cut, one in kept.items()} | {TOTAL: total.live}
        self._histories: dict[str, History] = {}
        self._detectors: dict[str, Detector] = {}
        self._cuts: dict[str, str] = {}
        self._clock = total.live.clock
        self._heard_at = total.heard_at
        self._episode = total.episode
        self._moved: set[str] = set()
        self._read: set[str] = set()
        self._told: list[ToldStep] = []
        self._later: Sequence[Later] = ()
        for cut in self._lives:
            self._put(cut, History())
        self._due = self._next_due()

    def _put(self, cut: str, history: History) -> None:
        self._histories[cut] = history
        zone = self._brand.brand.time_zone
        self._detectors[cut] = Detector(self._lives[cut], history, DEFAULTS, zone, self._campaigns)

    def expect(self, campaigns: Sequence[Interval]) -> None:
        """Expect more volume than usual at these times from now on; between two batches."""
        if campaigns != self._campaigns:
            self._campaigns = campaigns
            for cut in self._detectors:
                self._put(cut, History())

    def wanted(self, texts: Sequence[Text]) -> dict[str, int]:
        """The cuts of which these texts take the hours of the past to judge, and from when on they do."""
        latest = max(text[0] for text in texts)
        cuts = {TOTAL, *map(self._cut_of, {text[1] for text in texts})}
        asked = ((cut, self._detectors[cut].renews_at) for cut in cuts)
        return {cut: renews_at - _READ_S for cut, renews_at in asked if latest >= renews_at}

    def remember(self, cut: str, hours: Mapping[int, Counts]) -> None:
        """Take the hours of the past; they are kept for this batch."""
        self._read.add(cut)
        self._put(cut, History(hours))

    def _cut_of(self, channel: str) -> str:
        cut = self._cuts.get(channel)
        if cut is None:
            cut = self._cuts[channel] = cuts_by(channel)[1]
        if cut not in self._detectors:
            self._lives[cut] = Live()
            self._put(cut, History())
        return cut

    def hear(self, texts: Sequence[Text], later: Sequence[Later] = ()) -> None:
        """Take texts in the order of the log; what is wanted for them is remembered.

        later: steps of crises of which the batch tells
        """
        self._later = later
        channels = {channel: self._cut_of(channel) for channel in {text[1] for text in texts}}
        observers = {channel: (cut, self._detectors[cut].observe) for channel, cut in channels.items()}
        self._moved |= {TOTAL, *channels.values()}
        in_total, heard_ms = self._detectors[TOTAL].observe, self._heard_at * 1000
        for at, channel, negative, record in texts:
            recorded_ms = record.timestamp
            if self._due != _NEVER:
                self._pass_time(max(at, self._horizon(recorded_ms)), recorded_ms, record.offset)
            if changes := in_total(at, negative):
                self._take(TOTAL, changes, record)
            cut, observe = observers[channel]
            if changes := observe(at, negative):
                self._take(cut, changes, record)
            if at > self._clock:  # noqa: PLR1730 - a call of max() costs more
                self._clock = at
            if recorded_ms > heard_ms:
                heard_ms = recorded_ms
                self._heard_at = heard_ms // 1000

    def wait_until(self, recorded_ms: int, later: Sequence[Later] = ()) -> None:
        """Take note that nothing was recorded up to a moment that is not known by now."""
        self._later = later
        self._pass_time(self._horizon(recorded_ms), recorded_ms, _NEVER)

    def _horizon(self, recorded_ms: int) -> int:
        """The clock of the events, so long after the latest text."""
        return self._clock + max(0, recorded_ms // 1000 - self._heard_at)

    def _pass_time(self, to: int, recorded_ms: int, offset: int) -> None:
        """Tell of what is due by then."""
        if to < self._due:
            return
        known = self._known_at(offset)
        closings = sorted((one.closes_at or _NEVER, cut) for cut, one in self._detectors.items())
        for at, cut in closings:
            for change in self._detectors[cut].advance(to) if at <= to else ():
                self._moved |= {TOTAL, cut}
                self._episode, steps = follow(self._episode, cut, change, known)
                self._tell(steps, min(recorded_ms, self._due_ms(at)), known)
        if self._episode is not None and (at := self._episode.ends_at or _NEVER) <= to:
            self._moved.add(TOTAL)
            self._tell(end(self._episode, known), min(recorded_ms, self._due_ms(at)), known)
            self._episode = None
        self._due = self._next_due()

    def _take(self, cut: str, changes: Sequence[Change], record: Record) -> None:
        known = self._known_at(record.offset)
        for change in changes:
            self._episode, steps = follow(self._episode, cut, change, known)
            self._tell(steps, record.timestamp, known)
        self._due = self._next_due()

    def _tell(self, steps: Iterable[NewStep], recorded_ms: int, known: Told) -> None:
        for one in steps:
            known.add(one)
            self._told.append(ToldStep(self._brand, one.incident_id, one.step, recorded_ms))

    def _known_at(self, offset: int) -> Told:
        incidents = self._brand.affairs.incidents.items()
        stored = [(incident_id, step) for incident_id, incident in incidents for step in incident.steps]
        own = [(told.incident_id, told.step) for told in self._told]
        return part_of_log([*stored, *own], ((one.incident_id, one.step) for one in self._later if one.offset > offset))

    def _next_due(self) -> int:
        """When something is due on the clock of the events; it may turn out to be later."""
        closings = [one.closes_at or _NEVER for one in self._detectors.values()]
        return min([*closings, (self._episode.ends_at or _NEVER) if self._episode else _NEVER])

    def _due_ms(self, at: int) -> int:
        """When it is so late on the intake's clock, if nothing is heard."""
        return (self._heard_at + at - self._clock) * 1000

    def take_told(self) -> list[ToldStep]:
        """The steps that were told of since the last call, in the order of the log."""
        told, self._told = self._told, []
        return told

    def take_moved(self) -> dict[str, Moved]:
        """What is to be stored since the last call, by cut."""
        moved = {cut: self._save(cut) for cut in sorted(self._moved)}
        for cut in self._read:
            self._put(cut, History())
        self._moved.clear()
        self._read.clear()
        return moved

    def _save(self, cut: str) -> Moved:
        live = self._lives[cut] = self._detectors[cut].save()
        is_total = cut == TOTAL
        kept = Kept(live, self._heard_at, self._episode) if is_total else Kept(live)
        due = self._next_due() if is_total else _NEVER
        due_at = None if due == _NEVER else self._due_ms(due) // 1000
        forget_before = live.clock - _KEPT_S if cut in self._read else None
        return Moved(msgspec.msgpack.encode(kept), due_at, self._histories[cut].take_added(), forget_before)
