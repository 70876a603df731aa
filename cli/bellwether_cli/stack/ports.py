"""TCP ports on the loopback interface."""

import random
import socket

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
