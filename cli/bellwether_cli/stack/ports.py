"""TCP ports on the loopback interface."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"

# Below the range from which the kernel takes ports for outgoing connections: a server that is killed and started
# again has to find its port still free, and any connection could have been given one from that range meanwhile.
_CANDIDATES = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now; it may be taken a moment later."""
    with socket.socket() as probe:
        # As servers do themselves: connections of an earlier server, lingering in TIME_WAIT, are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    while True:
        port = random.choice(_CANDIDATES)  # noqa: S311 - no secret
        if is_free(port):
            return port


@dataclass(frozen=True, slots=True)
class PortChoice:
    """Which ports parts should get, by the names of the parts: those they must have, and those they had best have."""

    required: Mapping[str, int] = field(default_factory=dict)
    preferred: Mapping[str, int] = field(default_factory=dict)

    def pick(self, part: str, earlier: int | None = None) -> int:
        """The required port; else the `earlier` or the preferred one, if it is free now; else any that is free."""
        if part in self.required:
            return self.required[part]
        for port in (earlier, self.preferred.get(part)):
            if port is not None and is_free(port):
                return port
        return free_port()

    def without_preferences(self) -> PortChoice:
        """What is left when a preferred port, though free a moment ago, was taken after all."""
        return PortChoice(self.required)


ANY_PORT = PortChoice()
