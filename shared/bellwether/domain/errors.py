"""Everything that Bellwether refuses, by name. The domain knows no HTTP status: adapters/http/problems.py does."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input: where (RFC 6901 JSON pointer, '' = all of it) and what.

    line, column: of a text that people write, from 1
    """

    pointer: str
    detail: str
    line: int | None = None
    column: int | None = None


class BellwetherError(Exception):
    """Base of all refusals. `str(error)` is safe to show to the caller: it never repeats a secret or a whole input."""

    title: ClassVar[str] = "Something is not as it should be"

    def __init__(self, detail: str = "", *, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.faults = faults


class Refused(BellwetherError):
    """The caller may not do this."""

    title = "Refused"


class Unauthenticated(Refused):
    """No valid API key: absent, malformed, unknown, revoked and expired are told alike on purpose."""

    title = "A valid API key is needed"


class MissingScope(Refused):
    """The key is good, but lacks the scope that it would need."""

    title = "The API key lacks a scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs a key with the scope {scope}.")
        self.scope = scope


class NotFound(BellwetherError):
    """What was named does not exist, or is another tenant's: the answer is the same."""

    title = "Not found"


class UnknownTenant(NotFound):
    title = "No such tenant"


class UnknownBrand(NotFound):
    title = "No such brand"


class UnknownKey(NotFound):
    title = "No such API key"


class UnknownKpi(NotFound):
    title = "No such KPI"


class UnknownScorecard(NotFound):
    title = "No such scorecard"


class UnknownIssuedCard(NotFound):
    title = "No such issued scorecard"


class UnknownTarget(NotFound):
    title = "No such target"


class UnknownMark(NotFound):
    title = "No such mark"


class UnknownIncident(NotFound):
    title = "No such incident"


class UnknownEndpoint(NotFound):
    title = "No such webhook endpoint"


class UnknownRoute(NotFound):
    title = "No such alert route"


class UnknownMessage(NotFound):
    title = "No such message"


class Invalid(BellwetherError):
    """Understood, but a value is of the wrong type, out of range or against a rule; `faults` says which."""

    title = "The input is not valid"


class Malformed(BellwetherError):
    """Not even readable as what it claims to be."""

    title = "The input cannot be read"


class Conflict(BellwetherError):
    """Right by itself, but not in the present state."""

    title = "In conflict with the present state"


class AlreadyExists(Conflict):
    title = "It exists already"


class IllegalTransition(Conflict):
    title = "Not possible in the present state"


class StaleVersion(BellwetherError):
    """If-Match named a version that is no longer the current one."""

    title = "It was changed in the meantime"


class VersionRequired(BellwetherError):
    """A change without If-Match could overwrite somebody else's."""

    title = "Say which version you mean to change"


class TooLarge(BellwetherError):
    """More bytes, events or nesting than the limit; what is beyond it was not read."""

    title = "Too large"


class TooSlow(BellwetherError):
    """The caller did not finish sending in time."""

    title = "Sent too slowly"


class UnsupportedMediaType(BellwetherError):
    title = "This media type or encoding is not understood"


class RateLimited(BellwetherError):
    """Too fast. `retry_after_s`: seconds until a request can pass again, at least 1."""

    title = "Too many requests"

    def __init__(self, detail: str = "", *, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_s = max(1, retry_after_s)


class Unavailable(BellwetherError):
    """A part that is needed is away for now; a repeat is harmless. `retry_after_s`: seconds, at least 1."""

    title = "Not available for the moment"

    def __init__(self, detail: str = "", *, retry_after_s: int = 2) -> None:
        super().__init__(detail)
        self.retry_after_s = max(1, retry_after_s)
