from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from laundryd.daemon import problems
from laundryd.daemon.problems import MEDIA_TYPE, TYPE_BASE, ProblemError, problem
from laundryd.wire.bodies import MeBody
from laundryd.wire.errors import ERRORS, ErrorCode

api = FastAPI()
problems.install(api)


@api.get("/limited")
async def limited() -> None:
    raise ProblemError(ErrorCode.RATE_LIMITED, retry_after_s=0.2)


@api.get("/who")
async def who() -> None:
    raise ProblemError(ErrorCode.UNAUTHENTICATED, "There is no token.")


@api.get("/bug")
async def bug() -> None:
    raise ZeroDivisionError("a secret")


@api.get("/odd")
async def odd() -> None:
    raise HTTPException(418)


@api.put("/me")
async def me(body: MeBody) -> MeBody:
    return body


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://room") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/limited", ErrorCode.RATE_LIMITED),
        ("GET", "/who", ErrorCode.UNAUTHENTICATED),
        ("GET", "/bug", ErrorCode.INTERNAL),
        ("GET", "/odd", ErrorCode.INTERNAL),
        ("GET", "/nothing", ErrorCode.NOT_FOUND),
        ("DELETE", "/me", ErrorCode.METHOD_NOT_ALLOWED),
    ],
)
async def test_every_error_is_a_problem_document(
    client: httpx.AsyncClient, method: str, path: str, code: ErrorCode
) -> None:
    answer = await client.request(method, path)
    row = ERRORS[code]
    assert answer.status_code == row.status
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["type"] == TYPE_BASE + code
    assert (body["title"], body["status"], body["code"]) == (row.title, row.status, code)
    assert body["detail"].endswith(row.remedy)
    assert "secret" not in answer.text


async def test_what_the_asker_can_do_stands_in_headers_too(client: httpx.AsyncClient) -> None:
    assert (await client.get("/limited")).headers["retry-after"] == "1"
    assert (await client.get("/who")).headers["www-authenticate"] == "Bearer"


async def test_wrong_fields_are_named_and_their_values_are_not_shown(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.put("/me", json={"lang": "klingon", "more": "hunter2"})
    assert answer.status_code == 422
    assert answer.json()["fields"] == ["body.lang", "body.more"]
    assert "hunter2" not in answer.text


async def test_a_body_that_is_not_json_is_told_so(client: httpx.AsyncClient) -> None:
    answer = await client.put("/me", content="{", headers={"content-type": "application/json"})
    assert answer.json()["code"] == ErrorCode.NOT_JSON


@pytest.mark.parametrize("code", ErrorCode)
def test_the_remedy_is_said_once(code: ErrorCode) -> None:
    remedy = ERRORS[code].remedy
    assert problem(ProblemError(code)).detail == remedy
    assert problem(ProblemError(code, "w1 is free.")).detail == f"w1 is free. {remedy}"
    # The message of a refused command ends with it: it goes over sockets and MQTT as well.
    assert problem(ProblemError(code, f"w1 is free. {remedy}")).detail == f"w1 is free. {remedy}"
