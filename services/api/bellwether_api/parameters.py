"""What holds for the query parameters of every route, whatever they are: each stands once, and none is ignored."""

from collections import Counter
from typing import Annotated

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from bellwether.adapters.http.auth import directory
from bellwether.adapters.postgres.directory import Directory
from bellwether.domain.errors import Fault, Invalid, Refused

_ONCE = "must be given once"
_NONE = "is no parameter of this route, which has none"


async def checked_parameters(request: Request, known: Annotated[Directory, Depends(directory)]) -> None:
    """Refuse a parameter that is given twice, of which FastAPI would take the last, and any of a route without.

    Raises Invalid with a fault for each, Unavailable. Without a valid key nothing is said: the route refuses that.
    """
    wrong = _wrong(request) if request.scope["query_string"] else {}
    if not wrong:
        return
    try:
        await known.authenticate_fresh(request.headers.get("authorization"))
    except Refused:
        return
    faults = (Fault("/" + name.replace("~", "~0").replace("/", "~1"), detail) for name, detail in wrong.items())
    raise Invalid("Some values are not valid.", faults=tuple(faults))


def _wrong(request: Request) -> dict[str, str]:
    """What is wrong with a parameter, by its name."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    route = request.scope["route"]
    if isinstance(route, APIRoute) and not route.dependant.query_params:
        return dict.fromkeys(given, _NONE)
    return {name: _ONCE for name, times in given.items() if times > 1}
