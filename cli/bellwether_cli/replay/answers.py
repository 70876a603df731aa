"""What an answer of the intake says about each event of a batch."""

from typing import TypeVar

import httpx2
import msgspec

from bellwether.domain.errors import BellwetherError

_OF_EVENTS = frozenset({400, 404, 413, 422})


class SendingFailed(BellwetherError):
    """The intake refused a whole request, or stayed away for longer than one is willing to wait."""

    title = "The events could not be sent"


class _Fault(msgspec.Struct):
    pointer: str = ""
    detail: str = ""


class _Problem(msgspec.Struct):
    title: str = ""
    detail: str = ""
    errors: list[_Fault] = []


class _Rejection(msgspec.Struct):
    index: int
    problem: _Problem


class _Accepted(msgspec.Struct):
    rejected: list[_Rejection] = []


def rejections(response: httpx2.Response, count: int) -> dict[int, str]:
    """Index in the batch to reason, for the events that were not taken; empty where all `count` were.

    Raises SendingFailed where the answer is about the request and not about its events: key, scope, size.
    """
    if response.is_success:
        answer = _read(response, _Accepted) or _Accepted()
        return {one.index: _reason(one.problem) for one in answer.rejected}
    problem = _read(response, _Problem) or _Problem()
    said = problem.detail or problem.title or response.reason_phrase
    told = {index: fault for fault in reversed(problem.errors) if (index := _index(fault)) is not None}
    if response.status_code in _OF_EVENTS and told:
        # All are bad, but the answer may not name each of them.
        return {index: _words(told[index]) if index in told else said for index in range(count)}
    raise SendingFailed(f"HTTP {response.status_code} from {response.url}: {said}")


T = TypeVar("T")


def _read(response: httpx2.Response, shape: type[T]) -> T | None:
    try:
        return msgspec.json.decode(response.content, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # not ours: a proxy on the way may answer in HTML


def _index(fault: _Fault) -> int | None:
    first = fault.pointer.removeprefix("/").partition("/")[0]
    return int(first) if first.isdigit() else None


def _reason(problem: _Problem) -> str:
    return _words(problem.errors[0]) if problem.errors else problem.detail or problem.title


def _words(fault: _Fault) -> str:
    _, _, field = fault.pointer.removeprefix("/").partition("/")
    return f"{field.replace('/', '.')}: {fault.detail}" if field else fault.detail
