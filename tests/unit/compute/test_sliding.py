"""Values change though nothing happens: no refresh comes later than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.catalogue.evaluate import current_spans, evaluate
from bellwether.domain.business_hours import Hours, Schedule
from bellwether.domain.clock import DAY_S, HOUR_S, ceil_minute
from bellwether.domain.timeline import Grain, chunk_of
from bellwether.domain.windows import ROLLING_S, Window
from bellwether_compute.refresh import chunks_now, slides_next, sources_of
from tests.unit.compute.folding import NOW, Folding, brand_state, envelope


def shown(folding: Folding, cut: str, as_of: int) -> dict[str, dict[Window, Any]]:
    """All values at a moment, without the edges of their windows: those move with every minute."""
    brand = folding.brand
    values = evaluate(sources_of(brand, cut), current_spans(as_of, brand.clock, as_of))
    return {
        kpi: {window: msgspec.structs.replace(value, start=0, end=0) for window, value in by_window.items()}
        for kpi, by_window in values.items()
    }


def mention(moment: float) -> dict[str, Any]:
    return envelope("social.mention.v1", f"mention {moment}", moment, of="aurora", sentiment=1.0)


# Where something may be about to leave a window, or to enter the period that one is compared with.
REACHES = [n * length for length in ROLLING_S.values() for n in (1, 2)]
EDGES = st.one_of(
    st.builds(lambda reach, off: NOW - reach + off, st.sampled_from(REACHES), st.integers(-200, 2 * HOUR_S)),
    st.builds(
        lambda then, off: int(datetime.fromisoformat(then).replace(tzinfo=UTC).timestamp()) + off,
        st.sampled_from(["2026-03-19 12:00", "2026-03-13 12:00", "2026-02-20 12:00", "2025-12-20 12:00",
                         "2025-03-20 12:00"]),  # as far into the day, week, month, quarter and year before
        st.integers(-HOUR_S, 3 * HOUR_S),
    ),
    st.integers(0, 2 * HOUR_S).map(lambda ago: NOW - ago),
).map(lambda moment: min(moment, NOW))  # fmt: skip


def _numbered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**event, "id": f"e{number}"} for number, event in enumerate(events)]


def _waits(moment: int, answered_after: int | None) -> list[dict[str, Any]]:
    ids = {"conversation_id": f"c{moment}"}
    asked = envelope("social.message.received.v1", "", moment, **ids, message_id="m", kind="query")
    if answered_after is None or moment + answered_after > NOW:
        return [asked]
    answer = envelope("social.message.sent.v1", "", moment + answered_after, **ids, message_id="r", in_reply_to="m")
    return [asked, answer]


def _partner_event(moment: int) -> list[dict[str, Any]]:
    """Its days after were over a while ago, or are over soon; more happens after it than before."""
    marker = min(moment, NOW)
    held = envelope("activity.recorded.v1", "", marker, activity="partner_event", title="Day of partners")
    liked = [(marker - 2 * DAY_S, 1), (marker + DAY_S, 3)]
    return [held, *(_interaction(at) for at, times in liked if at <= NOW for _ in range(times))]


def _interaction(moment: int) -> dict[str, Any]:
    return envelope("social.interaction.v1", "", moment, kind="reaction")


def _crisis(resolved: int, lasted: int) -> list[dict[str, Any]]:
    opened = min(resolved - lasted, NOW)
    said = [(opened - HOUR_S, 1.0), (opened - 7200, 0.0), (opened + 60, -1.0), (resolved + 2 * HOUR_S, 1.0)]
    steps = [(opened, "opened"), (resolved, "resolved")]
    incident = {"incident_id": f"i{resolved}", "severity": "warning", "by": "ann"}
    return [
        *(envelope("crisis.incident.v1", "", at, phase=phase, **incident) for at, phase in steps if at <= NOW),
        *(envelope("social.mention.v1", "", at, of="aurora", sentiment=score) for at, score in said if at <= NOW),
    ]


STREAMS = st.lists(
    st.one_of(
        EDGES.map(lambda moment: [mention(moment)]),
        EDGES.map(lambda moment: [envelope("social.interaction.v1", "", moment, kind="click")]),
        st.builds(
            lambda moment, count: [
                envelope("social.audience.snapshot.v1", "", moment, audience="followers", count=count)
            ],
            EDGES,
            st.integers(1, 99),
        ),
        st.builds(_waits, EDGES, st.sampled_from([None, None, 40, 600, 3_700, 90_000, 8 * DAY_S])),
        EDGES.map(lambda over: _partner_event(over - 7 * DAY_S)),
        st.integers(-200, 6 * HOUR_S).map(lambda later: _partner_event(NOW + later - 7 * DAY_S)),
        st.builds(lambda over, lasted: _crisis(over - DAY_S, lasted), EDGES, st.integers(60, 30 * HOUR_S)),
        st.builds(
            lambda ago, lasted: _crisis(NOW - ago, lasted), st.integers(-99, DAY_S), st.integers(60, 30 * HOUR_S)
        ),
    ),
    min_size=1,
    max_size=6,
).map(lambda groups: _numbered([event for group in groups for event in group]))


def only_what_a_refresh_reads(folding: Folding, as_of: int) -> None:
    """Forget every chunk of rollups that a refresh at this moment does not read."""
    chunks = chunks_now(folding.brand, "", as_of)
    for timeline in folding.brand.timelines.values():
        timeline.loaded |= chunks
        timeline.loaded &= chunks
        for grain in Grain:
            buckets = timeline._buckets[grain]
            for bucket in [b for b in buckets if chunk_of(grain, b, timeline.clock) not in chunks]:
                del buckets[bucket]
        timeline._sums.clear()


SCHEDULES = (Schedule(), Schedule(week=((Hours(9 * 60, 12 * 60 + 5), Hours(12 * 60 + 20, 22 * 60)),) * 7))


@settings(max_examples=50)
@given(
    STREAMS,
    st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Berlin"]),
    st.sampled_from(SCHEDULES),
    st.integers(-90, 90),
)
def test_values_are_refreshed_no_later_than_they_change(
    events: list[dict[str, Any]], zone: str, schedule: Schedule, off: int
) -> None:
    whole, lean = Folding(zone), Folding(zone)
    for folding in (whole, lean):
        folding.brand.brand = replace(folding.brand.brand, schedule=schedule)
        folding.apply(events, recorded=NOW)
    as_of = NOW + 91 + off
    only_what_a_refresh_reads(lean, as_of)
    refreshed_at = slides_next(lean.brand, "", as_of)
    end, now = ceil_minute(as_of), shown(whole, "", as_of)
    assert refreshed_at >= as_of - 1
    # A refresh in the second s shows the minute that holds s, so the one that ends at `e` from e - 60 on.
    minutes = range(end + 60, min(int(refreshed_at) + 60, end + DAY_S), 60)
    for e in {*minutes[:3], *minutes[:: max(1, len(minutes) // 8)], *minutes[-2:]}:
        assert shown(whole, "", e) == now, f"{(e - end) // 60} minutes on, refreshed at {refreshed_at - end}"


def test_a_brand_of_which_nothing_is_known_is_looked_at_again_the_next_day() -> None:
    brand = brand_state()
    chunks = chunks_now(brand, "", NOW)
    brand.timeline("").loaded |= chunks
    midnight = brand.clock.day_start(brand.clock.day(NOW) + 1)
    assert slides_next(brand, "", NOW) == midnight - 60
    assert slides_next(brand, "", midnight) == midnight  # a whole day was shown, and a minute later a new one runs


def test_values_that_nothing_will_change_for_hours_are_left_alone_for_hours() -> None:
    folding = Folding()
    folding.apply([mention(NOW - 40 * DAY_S - 5 * HOUR_S)])
    only_what_a_refresh_reads(folding, NOW)
    assert slides_next(folding.brand, "", NOW) >= NOW + 3 * HOUR_S


def next_refresh(events: list[dict[str, Any]], seen: int = NOW, schedule: Schedule | None = None) -> int:
    """When values are due again of which nothing moves any more after they were `seen`."""
    folding = Folding()
    folding.brand.brand = replace(folding.brand.brand, schedule=schedule or Schedule())
    folding.apply(_numbered(events), recorded=NOW)
    only_what_a_refresh_reads(folding, seen)
    return int(slides_next(folding.brand, "", seen))


def at(time: str) -> int:
    """The second of the day of NOW from which on a refresh shows the minute that ends at a time."""
    return int(datetime.fromisoformat(f"2026-03-20 {time}").replace(tzinfo=UTC).timestamp()) - 60


def test_values_are_due_when_the_days_after_a_marker_are_over() -> None:
    activity = envelope("activity.recorded.v1", "", NOW - 7 * DAY_S + 8_400, activity="partner_event", title="T")
    assert next_refresh([activity]) == at("14:00")
    activity["data"]["activity"] = "skill"
    assert next_refresh([activity]) > at("14:00")


def test_values_are_due_when_the_days_after_a_crisis_are_over() -> None:
    steps = [one for one in _crisis(NOW - DAY_S + HOUR_S, 40 * DAY_S) if one["type"] == "crisis.incident.v1"]
    assert next_refresh(steps, seen=NOW + 4_000) == at("14:00")  # resolved at 13:00:30 the day before
    assert next_refresh(steps[:1], seen=NOW + 4_000) > at("14:00")


def test_values_are_due_when_somebody_has_waited_in_open_hours_as_long_as_an_answer_took() -> None:
    lunch = Schedule(week=((Hours(0, 12 * 60 + 5), Hours(13 * 60, 24 * 60)),) * 7)
    messages = [*_waits(NOW - 5 * HOUR_S, 600), *_waits(NOW - 30, None)]
    assert next_refresh(messages) == at("12:10")
    assert next_refresh(messages, seen=NOW + 3_700) > at("13:05")
    assert next_refresh(messages, seen=NOW + 3_700, schedule=lunch) == at("13:05")
