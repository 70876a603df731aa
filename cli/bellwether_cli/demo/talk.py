"""What is said about the brand and to it: mentions, conversations and their answers, one burst of anger."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from bellwether_cli.demo import texts
from bellwether_cli.demo.content import opinion
from bellwether_cli.demo.story import HOUR, Cell, Event

_CRISIS_LASTS = timedelta(hours=4)
_CRISIS_PER_HOUR = 90.0
_ANSWER_MEDIAN_MIN = 24.0
_ANSWER_SPREAD = 0.9
_UNANSWERED = 0.05
_AGENTS = ("ana", "bo", "chidi")


def mentions(cell: Cell) -> Iterator[Event]:
    """About a hundred and forty mentions a day, a quarter of them of a competitor."""
    for when in cell.arrivals(140.0):
        rival = cell.rng.choice(cell.brand.competitors) if cell.chance(0.25) else None
        if rival:
            yield _mention(cell, when, rival, f"Happy with {rival} so far, no complaints")
        else:
            yield _mention(cell, when, cell.brand.slug, opinion(cell))


def _mention(cell: Cell, when: datetime, of: str, text: str) -> Event:
    followers = int(cell.rng.lognormvariate(5.5, 1.4))
    author = cell.person("author")
    return cell.event(
        "social.mention.v1",
        when,
        channel=cell.channel(),
        of=of,
        text=text,
        url=f"https://social.example/{author}/{cell.rng.randrange(10**9)}",
        reach=followers,
        language="en",
        author={"id": author, "followers": followers, "verified": cell.chance(0.03)},
    )


def crisis(cell: Cell) -> Iterator[Event]:
    """A burst of angry mentions from `crisis_at` on, fading over hours, and how the team handles it."""
    began = cell.brand.crisis_at
    if began is None or not began - HOUR < cell.hour < began + _CRISIS_LASTS:
        return
    fade = math.exp(-max(0.0, (cell.hour - began) / HOUR) / 1.5)
    for when in cell.moments(round(_CRISIS_PER_HOUR * fade)):
        if when >= began:
            angry = texts.say(cell.rng, texts.CRISIS, brand=cell.brand.name, product=cell.brand.product)
            yield _mention(cell, when, cell.brand.slug, angry if cell.chance(0.85) else opinion(cell))
    if cell.hour <= began < cell.hour + HOUR:
        yield from _handling(cell, began)


def _handling(cell: Cell, began: datetime) -> Iterator[Event]:
    incident = cell.new_id()
    for phase, minutes in (("opened", 12), ("acknowledged", 25), ("responded", 48), ("resolved", 290)):
        yield cell.event(
            "crisis.incident.v1",
            began + timedelta(minutes=minutes),
            about=incident,
            channel="x",
            incident_id=incident,
            phase=phase,
            severity="critical",
            by="mira",
            note="Reports about the product spread quickly" if phase == "opened" else None,
        )


def outage(cell: Cell, when: datetime) -> Event:
    """A customer whose network is down, angry about it."""
    brand = cell.brand
    words = {"brand": brand.name, "product": brand.product, "handle": brand.slug.partition("-")[0]}
    return _mention(cell, when, brand.slug, texts.say(cell.rng, texts.OUTAGE, **words))


def conversations(cell: Cell) -> Iterator[Event]:
    """About thirty conversations a day with answers by the desk, some of them late, some never."""
    for asked in cell.arrivals(30.0):
        yield from _conversation(cell, asked)


def _conversation(cell: Cell, asked: datetime) -> Iterator[Event]:
    kind = cell.rng.choices(("query", "complaint", "feedback", "direct"), (60, 20, 10, 10))[0]
    talk = _Talk(cell, kind)
    question = talk.received(asked, _request(cell, kind), kind=kind)
    yield question
    if cell.chance(_UNANSWERED):
        return
    answered = _answered_at(cell, asked)
    answer = talk.sent(answered, texts.ANSWERS, to=question)
    yield answer
    if cell.chance(0.15):
        yield talk.sent(answered + timedelta(seconds=cell.rng.randint(20, 200)), texts.SECOND_PARTS, to=question)
    if cell.chance(0.04):
        thanked = answered + timedelta(minutes=cell.rng.uniform(1, 90))
        yield talk.received(thanked, texts.say(cell.rng, texts.THANKS), kind="comment", to=answer)


class _Talk:
    """One conversation of a customer with the desk."""

    def __init__(self, cell: Cell, kind: str) -> None:
        self._cell = cell
        self._kind = kind
        self._customer = cell.person("customer")
        self._id = cell.new_id()
        self._common = {"channel": cell.channel(), "conversation_id": self._id, "public": kind != "direct"}

    def received(self, when: datetime, text: str, *, kind: str, to: Event | None = None) -> Event:
        """What the customer writes."""
        return self._message(
            "social.message.received.v1", when, to, kind=kind, text=text, author={"id": self._customer}
        )

    def sent(self, when: datetime, choices: tuple[str, ...], *, to: Event) -> Event:
        """What the desk writes."""
        text, agent = texts.say(self._cell.rng, choices), self._cell.rng.choice(_AGENTS)
        return self._message("social.message.sent.v1", when, to, kind=self._kind, text=text, agent=agent)

    def _message(self, event_type: str, when: datetime, to: Event | None, **fields: object) -> Event:
        # The event's id serves as the message's, too.
        event = self._cell.event(
            event_type, when, about=self._id, **self._common, in_reply_to=to and to["id"], **fields
        )
        data = event["data"]
        assert isinstance(data, dict)  # noqa: S101 - as `Cell.event` makes it
        data["message_id"] = event["id"]
        return event


def _request(cell: Cell, kind: str) -> str:
    choices = {"complaint": texts.COMPLAINT, "feedback": texts.FEEDBACK}.get(kind, texts.QUERIES)
    return texts.say(cell.rng, choices, brand=cell.brand.name, product=cell.brand.product)


def _answered_at(cell: Cell, asked: datetime) -> datetime:
    wait = timedelta(minutes=_ANSWER_MEDIAN_MIN * cell.rng.lognormvariate(0, _ANSWER_SPREAD))
    local = cell.local(asked)
    if cell.brand.desk_opens <= local.hour < cell.brand.desk_closes:
        return asked + wait
    morning = local.replace(hour=cell.brand.desk_opens, minute=0, second=0, microsecond=0)
    if local.hour >= cell.brand.desk_closes:
        morning += timedelta(days=1)
    return morning + wait
