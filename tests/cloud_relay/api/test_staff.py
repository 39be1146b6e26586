"""Staff's routes: in with a link, refused to everybody else, and limited."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from cloud_relay.api.staff_door import COOKIE
from cloud_relay.app import STAFF_WRITES_H
from cloud_relay.push.outcomes import Outcome
from cloud_relay.push.subscriptions import Attempted
from cloud_relay.residents.subscriptions import SubscriptionStore
from cloud_relay.staff.people import Staff
from tests.cloud_relay.api.conftest import Api
from tests.cloud_relay.api.test_residents_path import subscription

WATER = {"kind": "maintenance", "texts": {"en": {"title": "Water off", "body": "Until noon."}}}
STAFF_ROUTES = [
    ("GET", "/api/v1/staff/me"),
    ("DELETE", "/api/v1/staff/me"),
    ("GET", "/api/v1/staff/residents"),
    ("GET", "/api/v1/staff/residents/somebody/notices"),
    ("GET", "/api/v1/staff/residents/somebody/subscriptions"),
    ("GET", "/api/v1/announcements"),
    ("POST", "/api/v1/announcements"),
    ("PUT", "/api/v1/announcements/0123456789abcdef"),
    ("DELETE", "/api/v1/announcements/0123456789abcdef"),
]


async def link(api: Api, name: str = "Kim") -> str:
    secret, _ = await Staff(api.relay._db).invite(name, api.relay._clock.real_now())
    return secret


@pytest.fixture
async def kim(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    async with api.browser() as browser:
        answer = await browser.post("/api/v1/staff/sign-in", json={"secret": await link(api)})
        assert answer.status_code == 200, answer.text
        yield browser


async def announced(api: Api) -> None:
    """Let what was announced go, and be planned to its end."""
    relay = api.relay
    relay._planner._returning_until = relay._clock.real_now()  # long after the start
    await relay._announcer.look()
    while await relay._planner.take_due():
        pass


async def test_a_link_becomes_a_cookie_that_no_script_reads(api: Api) -> None:
    async with api.browser() as browser:
        answer = await browser.post("/api/v1/staff/sign-in", json={"secret": await link(api)})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        said = answer.json()
        assert said["name"] == "Kim"
        assert [room["room"] for room in said["rooms"]] == ["maple-hall.north", "maple-hall.south"]
        assert said["rooms"][0]["machines"] == [{"machine": "w1", "name": "Washer 1"}]
        assert (await browser.get("/api/v1/staff/me")).json()["name"] == "Kim"


@pytest.mark.parametrize(("method", "path"), STAFF_ROUTES)
async def test_nobody_else_is_let_in(
    api: Api, joined: httpx.AsyncClient, method: str, path: str
) -> None:
    for asker in (joined, api.browser(), api.program("x" * 40)):
        answer = await asker.request(method, path, json=WATER)
        assert answer.status_code == 401, answer.text
        assert answer.json()["code"] == "staff_only"


async def test_a_residents_token_is_no_session_and_a_session_no_residents_token(
    api: Api, kim: httpx.AsyncClient, joined: httpx.AsyncClient
) -> None:
    token = joined.cookies["laundryd_relay"]
    async with api.program(token) as resident:
        assert (await resident.get("/api/v1/announcements")).status_code == 401
    async with api.program(kim.cookies[COOKIE]) as staff:
        assert (await staff.get("/api/v1/announcements")).status_code == 200
        assert (await staff.get("/api/v1/me")).status_code == 401


async def test_revoked_staff_is_out_at_once(api: Api, kim: httpx.AsyncClient) -> None:
    await Staff(api.relay._db).revoke("Kim")
    assert (await kim.get("/api/v1/announcements")).json()["code"] == "staff_only"


async def test_staff_signs_out(kim: httpx.AsyncClient, api: Api) -> None:
    session = kim.cookies[COOKIE]
    assert (await kim.request("DELETE", "/api/v1/staff/me", json={})).status_code == 204
    async with api.program(session) as again:
        assert (await again.get("/api/v1/staff/me")).status_code == 401


async def test_links_cannot_be_guessed_at_will(api: Api) -> None:
    tries = api.settings.join.tries_per_address_h
    async with api.browser() as browser:
        codes = [
            (await browser.post("/api/v1/staff/sign-in", json={"secret": "x" * 32})).json()["code"]
            for _ in range(tries + 1)
        ]
    assert codes == ["staff_link_invalid"] * tries + ["rate_limited"]


async def test_announcing_is_limited(kim: httpx.AsyncClient) -> None:
    later = {**WATER, "at": "2099-01-01T00:00:00Z"}
    for _ in range(STAFF_WRITES_H):
        assert (await kim.post("/api/v1/announcements", json=later)).status_code == 201
    answer = await kim.post("/api/v1/announcements", json=later)
    assert answer.json()["code"] == "rate_limited"
    assert int(answer.headers["Retry-After"]) > 0


async def test_one_is_written_edited_and_cancelled(kim: httpx.AsyncClient) -> None:
    later = {**WATER, "at": "2099-01-01T00:00:00Z", "target": {"room": "maple-hall.north"}}
    written = (await kim.post("/api/v1/announcements", json=later)).json()
    assert (written["state"], written["author"]) == ("scheduled", "Kim")
    address = f"/api/v1/announcements/{written['id']}"
    edited = (await kim.put(address, json={**later, "urgent": True})).json()
    assert edited["body"]["urgent"]
    (listed,) = (await kim.get("/api/v1/announcements")).json()["announcements"]
    assert listed == edited
    cancelled = (await kim.request("DELETE", address, json={})).json()
    assert cancelled["state"] == "cancelled"
    again = await kim.put(address, json=later)
    assert (again.status_code, again.json()["code"]) == (409, "already_gone")
    nowhere = await kim.put("/api/v1/announcements/nothing", json=later)
    assert nowhere.json()["code"] == "unknown_announcement"


@pytest.mark.parametrize(
    "more",
    [
        {"texts": {}},
        {"texts": {"en": {"title": "", "body": "x"}}},
        {"texts": {"en": {"title": "x" * 41, "body": "x"}}},
        {"repeat": "daily"},
        {"repeat": "daily", "zone": "Mars/Olympus"},
        {"target": {"machine": "w1"}},
        {"target": {"site": "maple-hall", "room": "maple-hall.north"}},
        {"repeat_until": "2099-01-01T00:00:00Z"},
        {"shown_for_min": 0},
        {"at": "2020-01-01T00:00:00Z"},
    ],
)
async def test_what_makes_no_sense_is_refused(
    kim: httpx.AsyncClient, more: dict[str, object]
) -> None:
    answer = await kim.post("/api/v1/announcements", json={**WATER, **more})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body"), answer.text


async def test_staff_sees_why_a_resident_was_not_told(
    api: Api, kim: httpx.AsyncClient, joined: httpx.AsyncClient
) -> None:
    resident = (await joined.get("/api/v1/me")).json()["resident"]
    assert (await kim.post("/api/v1/announcements", json=WATER)).status_code == 201
    await announced(api)
    (told,) = (await kim.get(f"/api/v1/staff/residents/{resident}/notices")).json()["notices"]
    assert told["state"] == "unreachable"
    assert told["steps"][-1]["why"] == "no_subscription"
    (listed,) = (await kim.get("/api/v1/announcements")).json()["announcements"]
    assert (listed["counts"]["addressed"], listed["counts"]["failed"]) == (1, 1)
    assert (await kim.get("/api/v1/staff/residents/nobody/notices")).json() == {"notices": []}


async def test_staff_finds_a_resident_and_sees_what_did_not_reach_them(
    api: Api, kim: httpx.AsyncClient, joined: httpx.AsyncClient
) -> None:
    resident = (await joined.get("/api/v1/me")).json()["resident"]
    assert (await kim.post("/api/v1/announcements", json=WATER)).status_code == 201
    await announced(api)
    answer = await kim.get("/api/v1/staff/residents", params={"sought": resident[:6].lower()})
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.json()
    (found,) = said["residents"]
    assert found["resident"] == resident
    assert found["rooms"] == ["maple-hall.north"]
    assert (found["devices"], found["bells"], found["untold"]) == (["Browser"], 0, 1)
    assert not said["more"]
    for nobody in ({"sought": "nobody"}, {"room": "maple-hall.south"}, {"sought": "_"}):
        assert (await kim.get("/api/v1/staff/residents", params=nobody)).json()["residents"] == []
    long = await kim.get("/api/v1/staff/residents", params={"sought": "x" * 61})
    assert long.json()["code"] == "invalid_body"


async def test_staff_sees_the_bells_of_a_resident_and_never_where_they_are(
    api: Api, kim: httpx.AsyncClient, joined: httpx.AsyncClient
) -> None:
    body = {**subscription("a-secret-place"), "name": "Firefox on Linux"}
    assert (await joined.put("/api/v1/push/subscriptions", json=body)).status_code == 204
    resident = (await joined.get("/api/v1/me")).json()["resident"]
    store = SubscriptionStore(api.relay._db, api.settings.push_hosts)
    (push,) = await store.for_resident(resident)
    now = api.relay._clock.real_now()
    await store.note([Attempted(push.id, Outcome.LATER, "http_503", now)])
    answer = await kim.get(f"/api/v1/staff/residents/{resident}/subscriptions")
    (seen,) = answer.json()["subscriptions"]
    assert (seen["name"], seen["here"], seen["lost"]) == ("Firefox on Linux", False, False)
    assert seen["fault"]["kind"] == "http_503"
    for secret in ("a-secret-place", "googleapis", push.p256dh, push.auth):
        assert secret not in answer.text
    nobody = await kim.get("/api/v1/staff/residents/nobody/subscriptions")
    assert nobody.json() == {"subscriptions": []}
