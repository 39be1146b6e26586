from __future__ import annotations

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from laundryd.daemon.http_guard import MAX_BODY_BYTES, HttpGuard, content_policy
from laundryd.wire.errors import ERRORS, ErrorCode

OURS = "http://laundry.local:8080"


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("inside")(scope, receive, send)


async def ask(method: str = "POST", **headers: str) -> httpx.Response:
    guard = HttpGuard(inner, ["Laundry.local", "[::1]"])
    transport = httpx.ASGITransport(guard)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=transport, base_url=OURS) as client:
        return await client.request(method, "/x", headers=named)


def assert_refused(answer: httpx.Response, code: ErrorCode) -> None:
    assert (answer.status_code, answer.json()["code"]) == (ERRORS[code].status, code)
    assert answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://[",
        "http://[::1",
        "file://laundry.local:8080",
        "x",
    ],
)
async def test_a_foreign_or_broken_origin_is_a_problem_document(origin: str) -> None:
    assert_refused(await ask(Origin=origin), ErrorCode.FOREIGN_ORIGIN)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "", "[", "laundry.local.evil"]
)
async def test_a_foreign_or_broken_host_is_a_problem_document(host: str) -> None:
    assert_refused(await ask("GET", Host=host), ErrorCode.FOREIGN_HOST)


@pytest.mark.parametrize("host", ["laundry.local", "LAUNDRY.local:8080", "[::1]", "[::1]:8080"])
async def test_our_own_page_gets_in_by_each_of_its_names(host: str) -> None:
    answer = await ask(Host=host, Origin=f"http://{host}")
    assert (answer.status_code, answer.text) == (200, "inside")


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "-1", "x", "9" * 5_000])
async def test_a_length_that_is_too_large_or_none_is_a_problem_document(length: str) -> None:
    answer = await ask(Origin=OURS, Content_Length=length)
    assert_refused(answer, ErrorCode.TOO_LARGE)


async def test_pages_may_ask_ourselves_and_whoever_is_named() -> None:
    ours = "default-src 'self'; connect-src 'self' ws: wss:"
    assert content_policy().startswith(f"{ours}; ")
    guard = HttpGuard(inner, ["laundry.local"], connects=["https://a.example"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url=OURS) as client:
        policy = (await client.get("/x")).headers["content-security-policy"]
    assert policy.startswith(f"{ours} https://a.example; ")
