"""The shapes of receipts: the messages, buckets and snapshots behind a number."""

import base64
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from bellwether.adapters.postgres.readings_receipts import LATEST, Place
from bellwether.domain.business_hours import Kind
from bellwether.domain.windows import Window
from bellwether_api.shapes import CutName, KpiKey, Moment

__all__ = [
    "LATEST",
    "RECEIPTS_EXAMPLE",
    "IntervalOut",
    "LevelReceipt",
    "MessageReceipt",
    "Place",
    "ReceiptPage",
    "SnapshotOut",
    "SumReceipt",
    "cursor",
    "parse_place",
]


class IntervalOut(Struct, frozen=True):
    """A stretch [start, end) between a message and its answer, and whether the business clock ran."""

    start: Moment
    end: Moment
    seconds: int
    kind: Annotated[Kind, Meta(description="`open` counts; `closed` and `holiday` pause.")]


class MessageReceipt(Struct, frozen=True, kw_only=True, tag_field="row", tag="message"):
    """A message to the brand, and what became of it."""

    message_id: str
    conversation_id: str
    channel: str
    kind: Annotated[str, Meta(examples=["query"])]
    received_at: Moment
    answered_at: Annotated[datetime | None, Meta(description="The first answer by a person; null where there is none.")]
    answered_by: Annotated[str | None, Meta(description="The id of that message.")]
    waits: Annotated[bool, Meta(description="Nobody has answered it; what it has waited counts as waiting.")]
    turn_of: Annotated[
        str | None,
        Meta(description="The message with which the turn began that it continues: it waits along with that one."),
    ]
    wall_s: Annotated[
        int | None,
        Meta(
            description="Seconds on the wall until the answer, or so far where it waits; null where the answer is that "
            "to the first message of its turn and adds no response time.",
        ),
    ]
    business_s: Annotated[int | None, Meta(description="The same by the business clock; null where it shows nothing.")]
    within_target: Annotated[
        bool | None, Meta(description="Whether the business clock showed no more than the target at the answer.")
    ]
    late_from: Annotated[
        datetime | None, Meta(description="When the present target is passed; null where it never is, or has no clock.")
    ]
    closed_s: Annotated[int, Meta(ge=0, description="Seconds that did not count since the brand was closed.")]
    holiday_s: Annotated[int, Meta(ge=0, description="Seconds that did not count since it was a holiday.")]
    intervals: Annotated[
        list[IntervalOut], Meta(description="From the message to the answer, or so far; oldest first.")
    ]
    intervals_left_out: Annotated[int, Meta(ge=0, description="How many later intervals are not listed.")]
    by_present_rules: Annotated[
        bool,
        Meta(
            description="False where hours, target or policy have changed since the answer came: its clocks stand as "
            "they were told, intervals are those of the present hours."
        ),
    ]


class SumReceipt(Struct, frozen=True, tag_field="row", tag="sum"):
    """What was counted in a local hour or day, or in what the edges of the window leave of it.

    As it stood at the end of the window: what came about later, such as an answer, is taken back.
    """

    start: Moment
    end: Annotated[datetime, Meta(tz=True, description="The first moment that is no longer in it.")]
    parts: Annotated[
        dict[str, int],
        Meta(
            description="The measures behind the value, by key; not all of them are 0.",
            examples=[{"mentions": 25, "competitor_mentions": 15}],
        ),
    ]


class SnapshotOut(Struct, frozen=True):
    """How large an audience was when it was last observed."""

    observed_at: Moment
    count: Annotated[int, Meta(ge=0)]


class LevelReceipt(Struct, frozen=True, tag_field="row", tag="level"):
    """The audience of one account at both edges of the window."""

    audience: Annotated[str, Meta(examples=["followers"])]
    channel: Annotated[str, Meta(examples=["instagram"])]
    account: Annotated[str, Meta(examples=["main"])]
    start: Annotated[
        SnapshotOut | None, Meta(description="The last snapshot before the window; null where there is none.")
    ]
    end: Annotated[SnapshotOut, Meta(description="The last snapshot before the end of the window.")]


class ReceiptPage(Struct, frozen=True, kw_only=True):
    """A page of the rows behind a number, the latest first."""

    brand: str
    time_zone: str
    kpi: KpiKey
    cut: CutName
    window: Window
    start: Moment
    end: Annotated[datetime, Meta(tz=True, description="What came about later is not in it.")]
    as_of: Moment
    distinct: Annotated[
        list[str],
        Meta(
            description="Measures that count distinct values: who is in two rows counts once in the window, so that "
            "they do not add up over rows. All others do, exactly to the `parts` of the value."
        ),
    ]
    items: Annotated[
        list[MessageReceipt | SumReceipt | LevelReceipt],
        Meta(
            description="`message` where response times or answers are counted; else `sum` for the measures, one per "
            "local hour of windows up to a week and per local day of longer ones, without empty ones, and `level` for "
            "the audiences."
        ),
    ]
    next: Annotated[str | None, Meta(description="`cursor` of the next page; null at the end.")]


def cursor(place: Place) -> str:
    """The cursor of a page that begins after a place."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def parse_place(text: str) -> Place:
    """The place of a cursor. Raises ValueError for what `cursor` did not make."""
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Place)
    except ValueError:  # not base64, or not JSON of a place
        raise ValueError("must be the `next` of a page") from None
    if cursor(place) != text or not 0 <= place.received_at <= LATEST.received_at:
        raise ValueError("must be the `next` of a page")
    return place


_FRIDAY = datetime(2026, 10, 9, 14, 45, tzinfo=UTC)
_MONDAY = datetime(2026, 10, 12, 7, 16, tzinfo=UTC)
_EXAMPLE = MessageReceipt(
    message_id="msg-4711",
    conversation_id="ticket-93",
    channel="email",
    kind="query",
    received_at=_FRIDAY,
    answered_at=_MONDAY,
    answered_by="msg-4720",
    waits=False,
    turn_of=None,
    wall_s=232_260,
    business_s=1_860,
    within_target=False,
    late_from=_MONDAY.replace(minute=15, second=1),
    closed_s=230_400,
    holiday_s=0,
    intervals=[
        IntervalOut(_FRIDAY, _FRIDAY.replace(hour=15, minute=0), 900, Kind.OPEN),
        IntervalOut(_FRIDAY.replace(hour=15, minute=0), _MONDAY.replace(minute=0), 230_400, Kind.CLOSED),
        IntervalOut(_MONDAY.replace(minute=0), _MONDAY, 960, Kind.OPEN),
    ],
    intervals_left_out=0,
    by_present_rules=True,
)
RECEIPTS_EXAMPLE = ReceiptPage(
    brand="acme-coffee",
    time_zone="Europe/Berlin",
    kpi="message_response_time.business",
    cut="channel=email",
    window=Window.DAYS_7,
    start=datetime(2026, 10, 6, 12, tzinfo=UTC),
    end=datetime(2026, 10, 13, 12, tzinfo=UTC),
    as_of=datetime(2026, 10, 13, 12, tzinfo=UTC),
    distinct=[],
    items=[_EXAMPLE],
    next=cursor(Place(int(_FRIDAY.timestamp()), "email", "ticket-93", "msg-4711")),
)
"""A page as OpenAPI shows it."""
