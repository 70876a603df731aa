"""POST /v1/events, as a bare ASGI function in front of FastAPI: routing alone would cost more than all the rest.

The order matters: who calls is checked before the body is read, what is in it before Kafka is asked, and 202 is said
only after Kafka's acknowledgement.
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec
import structlog

from bellwether.adapters.http.auth import authorize
from bellwether.adapters.http.problems import MEDIA_TYPE, Problem, headers_of, problem_of, unforeseen
from bellwether.adapters.http.server import answer_at_once, body_is_here
from bellwether.adapters.kafka.producer import Producer
from bellwether.adapters.postgres.directory import Directory
from bellwether.domain.errors import (
    BellwetherError,
    Fault,
    Invalid,
    RateLimited,
    TooLarge,
    TooSlow,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from bellwether.domain.keys import Caller, Scope
from bellwether.observability import metrics
from bellwether_ingest.accept import Decision, Door, Receipt, Rejection, accept, reason_of, verdict
from bellwether_ingest.body import BodyReader, Gone, Receive, inflater_for
from bellwether_ingest.limits import InFlight, RateLimiter
from bellwether_ingest.media import Mode, mode_of
from bellwether_ingest.settings import Settings

ASGIScope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
HeaderList = list[tuple[bytes, bytes]]

PATH = "/v1/events"
_ALLOW = (b"allow", b"OPTIONS, POST")
_SMALL_ENOUGH_TO_SKIP = 65_536
# What is thrown away of a refused body so that a client busy sending it gets to read the answer, which a reset
# connection would swallow. For strangers next to nothing.
_LINGER_BYTES = 16 * 1024**2
_LINGER_BYTES_UNKNOWN = 256 * 1024
_LINGER_S = 1.0

_log = structlog.get_logger(__name__)
_encoder = msgspec.json.Encoder()
# Looked up once: finding a label costs more than counting under it.
_ANSWERED = {hundreds: metrics.REQUESTS.labels(route=PATH, status=f"{hundreds}xx") for hundreds in range(1, 6)}
_DURATION = metrics.REQUEST_DURATION.labels(route=PATH)
_ACCEPTED = {mode: metrics.EVENTS_ACCEPTED.labels(mode=mode) for mode in Mode}


class Accepted(msgspec.Struct, frozen=True):
    """The body of 202: how many events are in Kafka, which, and the problem of each that is not."""

    accepted: int
    events: list[Receipt]
    rejected: list[Rejection]


@dataclass(slots=True)
class Answer:
    """A response to be: status, body, and the headers besides its length."""

    status: int
    body: bytes = b""
    headers: HeaderList = field(default_factory=list)


class Intake:
    """Takes events in. One for a process: it holds the limits."""

    def __init__(self, settings: Settings, directory: Directory, producer: Producer) -> None:
        self._settings = settings
        self._directory = directory
        self._producer = producer
        self._in_flight = InFlight(settings.max_requests_in_flight, settings.max_bytes_in_flight)
        self._events = RateLimiter("events", settings.events_per_s, settings.burst_events)
        per_s = settings.refusals_per_minute / 60
        self._refusals = RateLimiter("refusals", per_s, settings.refusals_per_minute, most_names=10_000)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer one request to PATH."""
        started = time.perf_counter()
        most_bytes, timeout_s = self._settings.max_body_bytes, self._settings.body_timeout_s
        reader = BodyReader(receive, most_bytes, timeout_s, is_here=body_is_here(scope))
        headers = _headers(scope)
        try:
            answer = await self._answer(scope, headers, reader)
        except Gone:
            return
        await _respond(scope, send, answer, reader, headers)
        _ANSWERED[answer.status // 100].inc()
        _DURATION.observe(time.perf_counter() - started)

    async def _answer(self, scope: ASGIScope, headers: dict[bytes, bytes], reader: BodyReader) -> Answer:
        try:
            if scope["method"] == "POST":
                return await self._post(scope, headers, reader)
            if scope["method"] == "OPTIONS":
                return self._handshake(headers)
            return _problem(Problem(type="about:blank", title="Method Not Allowed", status=405), [_ALLOW])
        except BellwetherError as error:
            if (reason := _UNREAD.get(type(error))) is not None:
                metrics.REQUESTS_REFUSED.labels(reason=reason).inc()
            return _refusal(error)
        except Gone:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the caller gets a 500 that tells nothing
            _log.exception("unforeseen error", path=PATH)
            return _problem(unforeseen(PATH))

    async def _post(self, scope: ASGIScope, headers: dict[bytes, bytes], reader: BodyReader) -> Answer:
        caller = await self._caller(scope, headers)
        try:
            self._events.check(caller.key_id)
        except RateLimited as error:
            metrics.REQUESTS_REFUSED.labels(reason="rate").inc()
            return _refusal(error, self._rate_fields(caller))
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        mode = mode_of(content_type, has_attributes=b"ce-specversion" in headers)
        inflater = inflater_for(headers.get(b"content-encoding", b"").decode("latin-1"))
        atomic = _atomic(scope["query_string"])
        if not self._producer.reachable:
            raise Unavailable("Kafka is not reachable; nothing was taken.")
        with self._in_flight.request(caller.tenant) as hold:
            body = await reader.read(inflater, _length(headers), hold)
            metrics.INTAKE_BYTES.inc(len(body))
            return await self._take(body, mode, scope["headers"], caller, atomic=atomic)

    async def _caller(self, scope: ASGIScope, headers: dict[bytes, bytes]) -> Caller:
        """Who calls. Wrong keys from one address are slowed down; a right key from there is not."""
        authorization = headers.get(b"authorization")
        try:
            header = None if authorization is None else authorization.decode("latin-1")
            return await authorize(self._directory, header, Scope.EVENTS_WRITE)
        except Unauthenticated:
            client = scope.get("client")
            source = str(client[0]) if client else ""
            self._refusals.check(source)
            self._refusals.charge(source, 1)
            raise

    async def _take(self, body: bytes, mode: Mode, headers: HeaderList, caller: Caller, *, atomic: bool) -> Answer:
        received_at = datetime.now(UTC)
        decision = accept(body, mode, headers, self._door(caller, received_at))
        if decision.names_unknown_brands:
            decision = await self._decide_again(decision, body, mode, headers, caller, received_at)
        count = len(decision.receipts) + len(decision.errors)
        self._events.charge(caller.key_id, count)
        metrics.INTAKE_BATCH_EVENTS.observe(count)
        for error in decision.errors:
            metrics.EVENTS_REJECTED.labels(reason=reason_of(error)).inc()
        verdict(decision, atomic=atomic)
        await self._write(decision, int(received_at.timestamp() * 1000))
        _ACCEPTED[mode].inc(len(decision.receipts))
        told = Accepted(len(decision.receipts), decision.receipts, decision.rejected)
        return Answer(202, _encoder.encode(told), [_JSON, *self._rate_fields(caller)])

    async def _decide_again(
        self, first: Decision, body: bytes, mode: Mode, headers: HeaderList, caller: Caller, received_at: datetime
    ) -> Decision:
        """The decision by a fresher directory, the first one where there is none."""
        version = self._directory.version
        await self._directory.refresh_soon()
        if self._directory.version == version:
            return first
        return accept(body, mode, headers, self._door(caller, received_at))

    def _door(self, caller: Caller, received_at: datetime) -> Door:
        brand_of = self._directory.brand

        def may_write(brand: str) -> bool:
            return caller.sees(brand) and brand_of(caller.tenant, brand) is not None

        return Door(
            tenant=caller.tenant,
            may_write=may_write,
            received_at=received_at,
            max_events=self._settings.max_events,
            max_event_bytes=self._settings.max_event_bytes,
        )

    async def _write(self, decision: Decision, timestamp_ms: int) -> None:
        try:
            await self._producer.produce(self._settings.events_topic, decision.records, timestamp_ms)
        except Unavailable:
            metrics.EVENTS_UNCERTAIN.inc(len(decision.receipts))
            raise

    def _rate_fields(self, caller: Caller) -> HeaderList:
        return [
            (b"ratelimit-policy", self._events.policy_field),
            (b"ratelimit", self._events.state_field(caller.key_id)),
        ]

    def _handshake(self, headers: dict[bytes, bytes]) -> Answer:
        """The abuse protection of the CloudEvents webhook specification: who asks may send, with a key."""
        answer = Answer(204, headers=[_ALLOW])
        if b"webhook-request-origin" in headers:
            answer.headers.append((b"webhook-allowed-origin", b"*"))
            answer.headers.append((b"webhook-allowed-rate", str(int(self._settings.events_per_s * 60)).encode()))
        return answer


_STRANGERS = (401, 429)
_UNREAD = {TooLarge: "size", TooSlow: "time", UnsupportedMediaType: "media_type"}
_JSON = (b"content-type", b"application/json")


def _headers(scope: ASGIScope) -> dict[bytes, bytes]:
    """Headers by name. One that comes twice is joined, so that two keys or two encodings are no valid one."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        found[name] = found[name] + b", " + value if name in found else value
    return found


def _length(headers: dict[bytes, bytes]) -> int | None:
    try:
        return int(headers.get(b"content-length", b"none"))
    except ValueError:
        return None


def _atomic(query: bytes) -> bool:
    """The parameter `atomic`; absent is false. Raises Invalid for anything but true and false."""
    if not query:
        return False
    said = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("atomic", ["false"])
    if said[-1] not in {"true", "false"}:
        raise Invalid("A parameter is not valid.", faults=(Fault("/atomic", "true or false"),))
    return said[-1] == "true"


def _refusal(error: BellwetherError, headers: HeaderList | None = None) -> Answer:
    more = [(name.lower().encode(), value.encode()) for name, value in headers_of(error).items()]
    return _problem(problem_of(error, PATH), [*more, *(headers or [])])


def _problem(problem: Problem, headers: HeaderList | None = None) -> Answer:
    fixed = [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
    return Answer(problem.status, _encoder.encode(problem), [*fixed, *(headers or [])])


async def _respond(
    scope: ASGIScope, send: Send, answer: Answer, reader: BodyReader, headers: dict[bytes, bytes]
) -> None:
    """Send the answer. A long body that was not read is not read now either: the connection ends instead."""
    ends = not reader.finished and _has_long_body(headers)
    fields = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
    if not ends and answer_at_once(scope, answer.status, fields, answer.body):
        return
    if ends:
        fields.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await send({"type": "http.response.body", "body": answer.body, "more_body": ends})
    if ends:
        most_bytes = _LINGER_BYTES_UNKNOWN if answer.status in _STRANGERS else _LINGER_BYTES
        await reader.discard(most_bytes, _LINGER_S)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _has_long_body(headers: dict[bytes, bytes]) -> bool:
    length = _length(headers)
    return b"transfer-encoding" in headers if length is None else length > _SMALL_ENOUGH_TO_SKIP
