"""The crisis detector: pure, streaming, the same whatever the batches. docs/detector.md says how it decides.

One `Detector` watches one (brand, cut):

    detector = Detector(live, history, settings, time_zone, campaigns)
    for event in events_of_the_cut:                      # mentions and messages, in the order of the log
        for change in detector.observe(event.at, negative=event.is_negative):
            ...                                          # opened, grew, closed
    live, added = detector.save(), history.take_added()  # to be stored with the offsets

What the caller keeps, per (brand, cut):

- `Live`, one small row (`msgspec.msgpack`; a few hundred bytes), replaced at every commit. `Live()` for a new one.
- One row per hour in which something was heard, `Counts` by the hour's UTC second. `History.take_added` gives what is
  to be added to the rows, element by element; rows older than `history_days` are read no more by the detector.

What the caller has to load: `Live` always; the hours of the last `history_days` only where an event of the batch is at
`Live.renews_at` or later, else `History()` is enough (`History({})` says that there is no past). The clock of a
detector is the latest event time of its own events. `Detector.closes_at` says when an open incident closes if nothing
more is heard; `Detector.advance(to)` closes it, at that same moment whether called early or late, and the next event
does so, too. An event from before the closing that comes after it opens nothing again by itself.

A change is named by brand, cut and `opened_at`. The detector never reads a clock, and draws no random numbers.
"""

from bellwether.domain.detection.backtest import Backtest, Fired, backtest
from bellwether.domain.detection.baseline import Baseline, Interval, Usual, UsualShare
from bellwether.domain.detection.detector import Detector
from bellwether.domain.detection.history import Counts, History, HistoryNotLoaded
from bellwether.domain.detection.settings import DEFAULTS, DetectorSettings
from bellwether.domain.detection.simple_rules import SimpleRule, Threshold, ZScore, backtest_simple, parse_rule
from bellwether.domain.detection.state import Change, ChangeKind, Live, OpenIncident, Reading, Signal

__all__ = [
    "DEFAULTS",
    "Backtest",
    "Baseline",
    "Change",
    "ChangeKind",
    "Counts",
    "Detector",
    "DetectorSettings",
    "Fired",
    "History",
    "HistoryNotLoaded",
    "Interval",
    "Live",
    "OpenIncident",
    "Reading",
    "Signal",
    "SimpleRule",
    "Threshold",
    "Usual",
    "UsualShare",
    "ZScore",
    "backtest",
    "backtest_simple",
    "parse_rule",
]
