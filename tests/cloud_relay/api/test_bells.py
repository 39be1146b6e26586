"""The bells of one's own devices at the relay's real web side; the push services stand in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
from fastapi import FastAPI

from cloud_relay.api.push import TESTS_MAX
from cloud_relay.push.outcomes import Outcome, Result
from laundryd.daemon.http_guard import HttpGuard
from laundryd.daemon.live_first import LiveFirst
from laundryd.wire.errors import ErrorCode
from tests.cloud_relay.api.test_residents_path import subscription
from tests.cloud_relay.world import Postman, running

if TYPE_CHECKING:
    from tests.cloud_relay.api.conftest import Api

BELLS = "/api/v1/push/subscriptions"
TEST = "/api/v1/push/test"


async def bells(browser: httpx.AsyncClient) -> list[dict[str, object]]:
    answer = await browser.get(BELLS)
    assert answer.headers["cache-control"] == "no-store"
    found: list[dict[str, object]] = answer.json()["subscriptions"]
    return found


def stand_in(api: Api, postman: Postman) -> None:
    """Let ``postman`` stand for the push services of tests."""
    web = api.relay._web
    assert isinstance(web, LiveFirst)
    guard = web._http
    assert isinstance(guard, HttpGuard)
    app = guard._app
    assert isinstance(app, FastAPI)
    app.state.services.trial._sender = postman


async def test_a_resident_lists_and_removes_their_own_and_anothers_is_a_404(
    api: Api, joined: httpx.AsyncClient, token_of_new_resident: Callable[[], Awaitable[str]]
) -> None:
    body = {**subscription("mine"), "name": "Chrome on Android"}
    assert (await joined.put(BELLS, json=body)).status_code == 204
    (mine,) = await bells(joined)
    assert (mine["name"], mine["here"], mine["lost"]) == ("Chrome on Android", True, False)
    assert "endpoint" not in str(mine)
    assert "fcm.googleapis.com" not in str(mine)
    async with api.program(await token_of_new_resident()) as other:
        assert await bells(other) == []
        for unknown in (mine["id"], "nobodys", "a b", "x" * 500):
            answer = await other.delete(f"{BELLS}/{unknown}")
            assert (answer.status_code, answer.json()["code"]) == (404, ErrorCode.NOT_FOUND)
    assert len(await bells(joined)) == 1
    assert (await joined.delete(f"{BELLS}/{mine['id']}")).status_code == 204
    assert await bells(joined) == []
    assert (await joined.delete(f"{BELLS}/{mine['id']}")).status_code == 404


async def test_a_test_says_what_came_of_it_and_a_dead_bell_is_told_at_the_next_start(
    api: Api, joined: httpx.AsyncClient
) -> None:
    assert (await joined.post(TEST, json={})).json() == {"tried": []}
    body = {**subscription("mine"), "name": "Firefox on Linux"}
    await joined.put(BELLS, json=body)
    (mine,) = await bells(joined)
    postman = Postman(
        answers={str(mine["id"]): [Result(Outcome.SENT), Result(Outcome.GONE, "http_410")]}
    )
    stand_in(api, postman)
    expected = {"id": mine["id"], "name": "Firefox on Linux", "here": True}
    answer = await joined.post(TEST, json={})
    assert answer.json()["tried"] == [expected | {"outcome": "accepted", "kind": ""}]
    answer = await joined.post(TEST, json={})
    assert answer.json()["tried"] == [expected | {"outcome": "dead", "kind": "http_410"}]
    me = (await joined.get("/api/v1/me")).json()
    assert me["push"] is False
    assert me["push_lost_at"] is not None
    again = await joined.put(BELLS, json=body)
    assert (again.status_code, again.json()["code"]) == (409, ErrorCode.SUBSCRIPTION_DEAD)
    assert (await joined.put(BELLS, json=subscription("new"))).status_code == 204
    me = (await joined.get("/api/v1/me")).json()
    assert (me["push"], me["push_lost_at"]) == (True, None)


async def test_tests_are_few(joined: httpx.AsyncClient) -> None:
    for _ in range(TESTS_MAX):
        assert (await joined.post(TEST, json={})).status_code == 200
    refused = await joined.post(TEST, json={})
    assert (refused.status_code, refused.json()["code"]) == (429, ErrorCode.RATE_LIMITED)
    assert 0 < int(refused.headers["retry-after"]) <= 600


async def test_a_test_needs_a_token(api: Api) -> None:
    async with api.browser() as nobody:
        assert (await nobody.post(TEST, json={})).status_code == 401
        assert (await nobody.get(BELLS)).status_code == 401
        assert (await nobody.delete(f"{BELLS}/x")).status_code == 401


async def test_renewing_a_bell_takes_back_at_once_what_was_told_of_its_end(
    api: Api, joined: httpx.AsyncClient
) -> None:
    async def told(state: str) -> None:
        async with asyncio.timeout(10):
            while not list(  # noqa: ASYNC110 -- another task writes into the database
                await api.relay._db.execute_fetchall(
                    "SELECT 1 FROM notices WHERE json_extract(card, '$.kind') = 'bell_ending'"
                    " AND (state = 'moot') = ?",
                    (state == "moot",),
                )
            ):
                await asyncio.sleep(0.01)

    now = api.relay._clock.real_now()
    ends_ms = (now + timedelta(days=3)).timestamp() * 1_000
    body = subscription("mine")
    assert (await joined.put(BELLS, json={**body, "expirationTime": ends_ms})).status_code == 204
    await api.relay._db.execute("UPDATE subscriptions SET created_at = '2026-01-01T00:00:00.000Z'")
    async with running(api.relay._bell_watch.run()):
        await told("news")
        later_ms = ends_ms + 60 * 86_400_000
        await joined.put(BELLS, json={**body, "expirationTime": later_ms})
        await told("moot")
