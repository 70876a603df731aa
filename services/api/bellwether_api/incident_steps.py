"""Steps that people take in the life of a crisis: each becomes an event of the log, which compute applies.

So they are in order with everybody else's, count once, and are there again after a restore or a rebuild.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from bellwether.adapters.kafka.producer import Producer
from bellwether.adapters.postgres.directory import Brand
from bellwether.domain.errors import Fault, IllegalTransition, Invalid, UnknownIncident
from bellwether.domain.incidents import Account, Phase, Reason, Severity, State, Step, account, advance, moves, possible
from bellwether.domain.keys import Caller
from bellwether.wire.events import CrisisIncident, encode_event
from bellwether.wire.events.reputation import CrisisIncidentData
from bellwether.wire.strict import fault as fault_of
from bellwether.wire.topics import event_key
from bellwether_api.incident_shapes import ACTIONS, OURS, IncidentDetail, StepAccepted
from bellwether_api.incidents import Incidents
from bellwether_api.moments import moment_at

_POLL_S = 0.02
_MOST_AHEAD_S = 2.0
_NAMES = uuid.UUID("3f0f7c1c-4c86-5d0e-9d53-7a1b5a0f2f10")
"""The namespace of the ids that follow from those of events."""
_NO_CHANNEL = "other:bellwether"


class Said(NamedTuple):
    """What somebody says of a step; onset in UTC seconds, channel and campaign of an opening."""

    by: str | None = None
    note: str | None = None
    reason: Reason | None = None
    into: str | None = None
    severity: Severity | None = None
    score: float | None = None
    onset: int | None = None
    channel: str = _NO_CHANNEL
    campaign: str | None = None


class Done(NamedTuple):
    """The crisis as it is now, or the step where compute has not applied it in time."""

    answer: IncidentDetail | StepAccepted
    incident_id: str
    replayed: bool


class IncidentSteps:
    """Takes steps for people.

    topic: of the events
    patience_s: how long an answer waits until a step is applied
    """

    def __init__(self, incidents: Incidents, producer: Producer, topic: str, patience_s: float) -> None:
        self._incidents = incidents
        self._producer = producer
        self._topic = topic
        self._patience_s = patience_s

    async def open(self, who: Caller, brand: Brand, said: Said, key: str | None) -> Done:
        """Open a crisis. Raises Invalid for an Idempotency-Key of another request, Unavailable."""
        source, event_id = _identity(who, key)
        event = _event(who, brand, source, event_id, _name(brand, source, event_id), "opened", said)
        return await self._once(brand, event) or await self._send(who, brand, [event])

    async def take(
        self, who: Caller, brand: Brand, incident_id: str, phase: Phase, said: Said, key: str | None
    ) -> Done:
        """Take a step.

        Raises UnknownIncident; IllegalTransition where the step is not possible, or no longer when it is applied;
        Invalid for an Idempotency-Key of another request and for a crisis that cannot be merged into; Unavailable.
        """
        source, event_id = _identity(who, key)
        steps = [stored.step for stored in await self._incidents.steps(brand, incident_id)]
        stands = account(steps)
        if stands is None:
            raise UnknownIncident
        if said.into == incident_id:
            raise _no_target()
        said = said._replace(severity=said.severity or stands.severity, channel=_channel(stands))
        if phase == "split" and stands.state is not State.MERGED:
            said = said._replace(into=_name(brand, source, event_id))
        event = _event(who, brand, source, event_id, incident_id, phase, said)
        if done := await self._once(brand, event):
            return done
        if advance(stands.state, phase) is None:
            raise _impossible(stands.state)
        await self._check_target(brand, event)
        await _pass_second(max(step.at for step in steps))
        return await self._send(who, brand, [*_split_off(who, brand, event, stands), event])

    async def _once(self, brand: Brand, event: CrisisIncident) -> Done | None:
        """What became of an event that was applied before. Raises Invalid where it was another one."""
        incident_id = await self._incidents.applied_to(brand, event.source, event.id)
        if incident_id is None:
            return None
        step = await self._step(brand, incident_id, event)
        if incident_id != event.data.incident_id or step is None or not _says(step, event.data):
            fault = Fault("/Idempotency-Key", "was used for another request")
            raise Invalid("An Idempotency-Key stands for one request.", faults=(fault,))
        return Done(await self._incidents.read(brand, incident_id), incident_id, replayed=True)

    async def _step(self, brand: Brand, incident_id: str, event: CrisisIncident) -> Step | None:
        """The step of an event, once it is stored."""
        steps = (stored.step for stored in await self._incidents.steps(brand, incident_id))
        return next((one for one in steps if (one.word.source, one.word.event_id) == (event.source, event.id)), None)

    async def _check_target(self, brand: Brand, event: CrisisIncident) -> None:
        """Raises Invalid where there is no crisis of its own to merge into."""
        into = event.data.into
        if event.data.phase != "merged" or into is None:
            return
        target = account(stored.step for stored in await self._incidents.steps(brand, into))
        if target is None or target.state is State.MERGED:
            raise _no_target()

    async def _send(self, who: Caller, brand: Brand, events: Sequence[CrisisIncident]) -> Done:
        """Write events, and wait for the last one to be applied. Raises Unavailable where Kafka does not have them."""
        values, last = [encode_event(event) for event in events], events[-1]
        if words := next(filter(None, map(fault_of, values)), None):
            raise Invalid(f"The step cannot be written down: {words}")
        await self._producer.produce(self._topic, {event_key(who.tenant, brand.slug): values}, int(time.time() * 1000))
        incident_id = last.data.incident_id
        until = time.monotonic() + self._patience_s
        while await self._incidents.applied_to(brand, last.source, last.id) is None:
            if time.monotonic() >= until:
                return Done(StepAccepted(incident_id, last.data.phase, last.id), incident_id, replayed=False)
            await asyncio.sleep(_POLL_S)
        await self._check_taken(brand, last)
        return Done(await self._incidents.read(brand, incident_id), incident_id, replayed=False)

    async def _check_taken(self, brand: Brand, event: CrisisIncident) -> None:
        """Raises IllegalTransition where somebody else was faster, so that the step changed nothing."""
        state: State | None = None
        for move in moves([stored.step for stored in await self._incidents.steps(brand, event.data.incident_id)]):
            if (move.step.word.source, move.step.word.event_id) == (event.source, event.id) and move.state is None:
                assert state is not None  # noqa: S101 - it was open before
                raise _impossible(state)
            state = move.state or state


def _identity(who: Caller, key: str | None) -> tuple[str, str]:
    """Source and id of an event: the same for repeats of a request under one Idempotency-Key."""
    return f"{OURS}{who.key_id}", key or str(uuid.uuid4())


def _name(brand: Brand, source: str, event_id: str) -> str:
    return str(uuid.uuid5(_NAMES, f"{brand.brand_id} {source} {event_id}"))


def _event(
    who: Caller, brand: Brand, source: str, event_id: str, incident_id: str, phase: Phase, said: Said
) -> CrisisIncident:
    """The event of a step. It has no time, so it happens when it is taken in, and a repeat is the same bytes."""
    data = CrisisIncidentData(
        brand=brand.slug,
        channel=said.channel,
        campaign=said.campaign,
        incident_id=incident_id,
        phase=phase,
        severity=said.severity or "warning",
        by=said.by or who.key_id,
        note=said.note,
        severity_score=said.score,
        reason=said.reason,
        into=said.into,
        onset=None if said.onset is None else moment_at(said.onset),
    )
    return CrisisIncident(specversion="1.0", id=event_id, source=source, subject=f"incident:{incident_id}", data=data)


def _split_off(who: Caller, brand: Brand, event: CrisisIncident, stands: Account) -> list[CrisisIncident]:
    """The opening of the crisis that a step splits off, if it does; as severe as the one that it comes from."""
    data = event.data
    if data.phase != "split" or data.into is None:
        return []
    said = Said(data.by, data.note, severity=stands.severity, channel=data.channel)
    return [_event(who, brand, event.source, _name(brand, event.source, data.into), data.into, "opened", said)]


def _channel(stands: Account) -> str:
    """The channel that a crisis was opened for; it counts there, whatever its further events say."""
    named = (cut.removeprefix("channel=") for cut in stands.opening.cuts if cut.startswith("channel="))
    return next(named, _NO_CHANNEL)


def _says(step: Step, data: CrisisIncidentData) -> bool:
    word = step.word
    into = (word.into, data.into) if data.phase == "merged" else ("", "")  # what is split off follows from the event
    told = (step.phase, word.by, word.note, word.reason, into[0])
    return told == (data.phase, data.by, data.note or "", data.reason, into[1])


def _no_target() -> Invalid:
    fault = Fault("/into", "must name another crisis of the brand that is not merged itself")
    return Invalid("Some values are not valid.", faults=(fault,))


def _impossible(state: State) -> IllegalTransition:
    now = [action for action, phase in ACTIONS.items() if phase in possible(state)]
    return IllegalTransition(f"It is {state.value}; possible now: {', '.join(now)}.")


async def _pass_second(last: int) -> None:
    """Wait until the second of the last step is over: of steps in one second not the time tells the order."""
    ahead = last + 1 - time.time()
    if ahead > 0:
        await asyncio.sleep(min(ahead, _MOST_AHEAD_S))
