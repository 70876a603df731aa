"""What is sent in one request, where to, and how it went."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from bellwether.domain.alerts import Alert

_THROTTLING: Final = frozenset({429, 502, 503, 504})


class Secret(msgspec.Struct, frozen=True):
    """A webhook secret; one that was replaced holds until a UTC second."""

    text: str
    until: int | None = None


class Address(msgspec.Struct, frozen=True):
    """What is sealed of an endpoint."""

    url: str
    secrets: tuple[Secret, ...] = ()


class Message(NamedTuple):
    """One request to one endpoint.

    id: what receivers know repeats by
    type: of the endpoint
    tenant, brand: slugs; '' for what is of none
    alerts: what it tells, in the order in which it was written, at least one
    course: all alerts of the incident so far, for receivers that are told states instead of changes
    escalates: nobody has acknowledged in time
    """

    id: str
    type: str
    address: Address
    tenant: str
    brand: str
    alerts: tuple[Alert, ...]
    course: tuple[Alert, ...]
    escalates: bool = False


class Outcome(NamedTuple):
    """How an attempt went. Nothing of it is the receiver's own words.

    status: of the answer; None where there was none
    error: why it failed; '' where it did not
    retry_after_s: for how long the receiver wants to be left alone; 0 where it does not say
    gone: the receiver says that it will never take anything again
    """

    status: int | None = None
    error: str = ""
    retry_after_s: float = 0.0
    gone: bool = False

    @property
    def throttles(self) -> bool:
        """Whether the receiver is overloaded: whatever else is for it should wait, too."""
        return self.status in _THROTTLING
