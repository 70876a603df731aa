"""Refusals as RFC 9457 problems, and the probes."""

from __future__ import annotations

import inspect

from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from bellwether.adapters.http.probe_router import probe_router
from bellwether.adapters.http.probes import Readiness
from bellwether.adapters.http.problems import STATUS, headers_of, install, problem_of, problems, status_of, type_of
from bellwether.domain import errors
from bellwether.domain.errors import BellwetherError, Fault, RateLimited, Unauthenticated, UnknownKpi
from bellwether.observability import metrics

SECRET = "hunter2"


class Body(BaseModel):
    size: float


def application() -> TestClient:
    app = FastAPI()
    install(app)

    @app.get("/kpis/{key}", responses=problems(UnknownKpi, errors.StaleVersion))
    async def read(key: str, limit: int = 1) -> str:
        if key == "broken":
            raise RuntimeError(SECRET)
        raise UnknownKpi("Not this one.", faults=(Fault("/key", "unknown"),))

    @app.post("/kpis")
    async def write(body: Body) -> Body:
        return body

    return TestClient(app, raise_server_exceptions=False)


def test_our_own_refusals_are_problems() -> None:
    answer = application().get("/kpis/x")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json() == {
        "type": "urn:bellwether:problem:unknown-kpi",
        "title": "No such KPI",
        "status": 404,
        "detail": "Not this one.",
        "instance": "/kpis/x",
        "errors": [{"pointer": "/key", "detail": "unknown"}],
    }


def test_validation_unknown_paths_and_methods_are_problems_too() -> None:
    client = application()
    wrong = client.get("/kpis/x?limit=many")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/limit")
    assert client.get("/nowhere").json() == {
        "type": "about:blank", "title": "Not Found", "status": 404, "instance": "/nowhere"
    }  # fmt: skip
    not_allowed = client.delete("/kpis/x")
    assert (not_allowed.status_code, not_allowed.headers["allow"]) == (405, "GET")


def test_no_problem_repeats_what_was_sent_or_what_broke_inside() -> None:
    client = application()
    for answer in (
        client.get("/kpis/broken"),
        client.get(f"/kpis/x?limit={SECRET}"),
        client.post("/kpis", json={"size": SECRET}),
        client.post("/kpis", content=f"{SECRET}{{", headers={"content-type": "application/json"}),
    ):
        assert answer.headers["content-type"] == "application/problem+json"
        assert SECRET not in answer.text


def test_a_body_with_nan_is_refused_and_not_a_fault_of_ours() -> None:
    answer = application().post(
        "/kpis", content=b'{"size": "x", "more": NaN}', headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


def test_every_error_has_a_status_and_a_type_of_its_own() -> None:
    kinds = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, BellwetherError)]
    assert all(400 <= status_of(kind) <= 503 for kind in kinds)
    assert len({type_of(kind) for kind in kinds}) == len(kinds)
    assert all(kind in kinds for kind in STATUS)


def test_refusals_carry_the_headers_that_their_status_asks_for() -> None:
    assert headers_of(Unauthenticated()) == {"WWW-Authenticate": 'Bearer realm="bellwether"'}
    assert headers_of(RateLimited(retry_after_s=7)) == {"Retry-After": "7"}
    assert headers_of(errors.Unavailable(retry_after_s=0)) == {"Retry-After": "1"}
    assert problem_of(RateLimited()).type == "https://iana.org/assignments/http-problem-types#quota-exceeded"


def test_openapi_describes_problems_and_nothing_of_fastapis_own_errors() -> None:
    document = application().app.openapi()  # type: ignore[attr-defined]
    assert set(document["components"]["schemas"]) == {"Body", "Problem", "ProblemFault"}
    responses = document["paths"]["/kpis/{key}"]["get"]["responses"]
    assert set(responses) == {"200", "404", "412", "422"}
    assert all("application/problem+json" in responses[status]["content"] for status in ("404", "412", "422"))


def test_readiness_names_what_is_missing_and_liveness_does_not_care() -> None:
    missing: dict[str, str | None] = {"kafka": None}
    readiness = Readiness({"kafka": lambda: missing["kafka"]})
    app = FastAPI()
    app.include_router(probe_router(readiness))
    client = TestClient(app)
    assert client.get("/readyz").json() == {"ready": True, "checks": {"kafka": "ok"}}
    missing["kafka"] = "does not answer"
    assert client.get("/readyz").status_code == 503
    assert client.get("/readyz").json() == {"ready": False, "checks": {"kafka": "does not answer"}}
    assert client.get("/healthz").json() == {"status": "alive"}
    missing["kafka"] = None
    readiness.drain()
    assert client.get("/readyz").json()["checks"]["service"] == "stopping"
    assert not readiness.ready
    metrics.EVENTS_APPLIED.inc(0)
    assert "bellwether_events_applied_total" in client.get("/metrics").text
