"""Bounds of what is read. FastAPI's own limit would answer in plain text."""

from starlette.exceptions import HTTPException

from bellwether_api.asgi import Asgi, Message, Receive, Scope, Send

_TOO_LARGE = 413


def bounded(app: Asgi, most_bytes: int) -> Asgi:
    """The app, with bodies of at most so many bytes; what is beyond is not read, and 413 is answered."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most_bytes:
                raise HTTPException(_TOO_LARGE)  # the one error that FastAPI lets through while it reads a body
            return message

        await app(scope, counted, send)

    return limited
