from __future__ import annotations

import base64
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx

from cloud_relay.notify.planner import Told
from laundryd.daemon.sqlite import transaction
from laundryd.daemon.tokens import SigningKey, verify_token
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import Position
from laundryd.wire.notices import Notice, NoticeKind, notice_id

if TYPE_CHECKING:
    from tests.cloud_relay.api.conftest import Api

NORTH, SOUTH = "maple-hall.north", "maple-hall.south"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def subscription(name: str) -> dict[str, object]:
    keys = {"p256dh": b64(b"\x04" + os.urandom(64)), "auth": b64(os.urandom(16))}
    return {"endpoint": f"https://fcm.googleapis.com/fcm/send/{name}", "keys": keys}


async def test_a_join_sets_a_cookie_that_scripts_and_other_sites_cannot_use(api: Api) -> None:
    async with api.browser() as browser:
        answer = await browser.post("/api/v1/join", json={"code": api.codes[NORTH], "lang": "ko"})
        assert answer.json()["token"] is None
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("laundryd_relay=")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        me = (await browser.get("/api/v1/me")).json()
    assert me["lang"] == "ko"
    assert me["rooms"] == [{"room": NORTH, "name": "A laundry room", "local_url": None}]
    assert me["push"] is False


async def test_a_code_typed_in_small_letters_without_dash_is_the_same(api: Api) -> None:
    async with api.browser() as browser:
        typed = api.codes[NORTH].replace("-", " ").lower()
        assert (await browser.post("/api/v1/join", json={"code": typed})).status_code == 200


async def test_who_joins_a_second_room_stays_who_they_are(
    api: Api, joined: httpx.AsyncClient
) -> None:
    before = (await joined.get("/api/v1/me")).json()
    answer = (await joined.post("/api/v1/join", json={"code": api.codes[SOUTH]})).json()
    assert answer["resident"] == before["resident"]
    assert answer["rooms"] == [NORTH, SOUTH]


async def test_a_code_lets_in_as_many_as_its_cap_and_a_member_uses_nothing_up(api: Api) -> None:
    async with api.browser() as first:
        for _ in range(5):
            answer = await first.post("/api/v1/join", json={"code": api.codes[NORTH]})
            assert answer.status_code == 200
    for expected in (200, 200, 403):
        async with api.browser() as other:
            answer = await other.post("/api/v1/join", json={"code": api.codes[NORTH]})
            assert answer.status_code == expected
    assert answer.json()["code"] == ErrorCode.JOIN_CODE_SPENT


async def test_a_link_code_adds_a_device_once(api: Api, joined: httpx.AsyncClient) -> None:
    code = (await joined.post("/api/v1/devices/link-code")).json()["code"]
    async with api.browser() as phone:
        answer = await phone.post("/api/v1/devices/link", json={"code": code})
        linked, me = answer.json(), (await joined.get("/api/v1/me")).json()
        assert linked["resident"] == me["resident"]
        assert linked["device"] != me["device"]
        assert linked["rooms"] == [NORTH]
        assert (await phone.get("/api/v1/me")).status_code == 200
    async with api.browser() as thief:
        answer = await thief.post("/api/v1/devices/link", json={"code": code})
        assert answer.json()["code"] == ErrorCode.LINK_CODE_INVALID


async def test_a_room_is_shown_without_who(joined: httpx.AsyncClient) -> None:
    room = (await joined.get(f"/api/v1/rooms/{NORTH}")).json()
    assert room["position"] == {"epoch": "e1", "offset": 1}
    assert room["edge"]["online"] is False
    assert [machine["machine"] for machine in room["machines"]] == ["w1"]
    assert "owner" not in room["machines"][0]


async def test_a_voucher_opens_one_room_for_a_month(api: Api, joined: httpx.AsyncClient) -> None:
    voucher = (await joined.post(f"/api/v1/rooms/{NORTH}/voucher")).json()
    key = SigningKey.load_or_create(api.settings.keys.signing).verify_key
    claims = verify_token(
        voucher["token"], {key.kid: key}, "edge:maple-hall/north", api.relay._clock.real_now()
    )
    assert claims.rooms == {NORTH}
    assert (claims.expires_at - claims.issued_at).days == 30


async def test_the_push_key_is_a_point_of_p_256(api: Api) -> None:
    async with api.browser() as browser:
        key = (await browser.get("/api/v1/push/key")).json()["key"]
    raw = base64.urlsafe_b64decode(key + "=")
    assert len(raw) == 65
    assert raw[0] == 4


async def test_a_subscription_belongs_to_its_device_alone(
    api: Api, joined: httpx.AsyncClient, token_of_new_resident: Callable[[], Awaitable[str]]
) -> None:
    answer = await joined.put("/api/v1/push/subscriptions", json=subscription("mine"))
    assert answer.status_code == 204
    assert (await joined.get("/api/v1/me")).json()["push"] is True
    async with api.program(await token_of_new_resident()) as other:
        assert (await other.get("/api/v1/me")).json()["push"] is False
        assert (await other.delete("/api/v1/push/subscriptions")).status_code == 204
    assert (await joined.get("/api/v1/me")).json()["push"] is True
    assert (await joined.delete("/api/v1/push/subscriptions")).status_code == 204
    assert (await joined.get("/api/v1/me")).json()["push"] is False


async def test_preferences_are_kept(joined: httpx.AsyncClient) -> None:
    assert (await joined.put("/api/v1/me", json={"lang": "ko"})).json()["lang"] == "ko"
    assert (await joined.get("/api/v1/me")).json()["lang"] == "ko"


async def test_who_leaves_is_forgotten_and_the_cookie_goes(joined: httpx.AsyncClient) -> None:
    answer = await joined.delete("/api/v1/me")
    assert answer.status_code == 204
    assert 'laundryd_relay=""' in answer.headers["set-cookie"]


async def test_a_fresh_token_is_not_replaced(joined: httpx.AsyncClient) -> None:
    assert "set-cookie" not in (await joined.get("/api/v1/me")).headers


async def test_answers_about_people_are_not_cached(joined: httpx.AsyncClient) -> None:
    for path in ("/api/v1/me", f"/api/v1/rooms/{NORTH}"):
        assert (await joined.get(path)).headers["cache-control"] == "no-store"


async def test_a_resident_lists_what_they_were_told_and_nobody_elses(
    api: Api, joined: httpx.AsyncClient
) -> None:
    me = (await joined.get("/api/v1/me")).json()["resident"]
    told = Told()
    async with transaction(api.relay._db) as db:
        await api.relay._planner.plan(db, [notice_for(me), notice_for("somebody-else")], told)
    found = (await joined.get("/api/v1/me/notices")).json()["notices"]
    assert [(one["notice"]["room"], one["told"]) for one in found] == [(NORTH, False)]
    assert "somebody-else" not in str(found)
    assert (await joined.request("DELETE", "/api/v1/me", json={})).status_code == 204
    kept = await api.relay._db.execute_fetchall("SELECT resident FROM notices")
    assert [row["resident"] for row in kept] == ["somebody-else"]


def notice_for(resident: str) -> Notice:
    now = datetime.now(UTC)
    place = Position(epoch="e1", offset=2)
    return Notice(
        id=notice_id(NORTH, place, NoticeKind.DONE, resident),
        kind=NoticeKind.DONE,
        room=NORTH,
        machine="w1",
        params={"name": "Washer 1"},
        caused_at=now,
        useful_until=now + timedelta(hours=1),
        resident=resident,
    )


async def test_wishes_are_kept_and_what_cannot_be_is_refused(joined: httpx.AsyncClient) -> None:
    me = (await joined.get("/api/v1/me")).json()
    assert me["wishes"] == {"choices": {}, "quiet": None}
    wishes = {
        "choices": {"done": "app_only", "ending_soon": "nothing"},
        "quiet": {"begin": "23:00", "end": "07:30", "zone": "Asia/Seoul"},
    }
    answer = await joined.put("/api/v1/me", json={"wishes": wishes})
    assert answer.status_code == 200
    assert answer.json()["wishes"] == wishes
    assert answer.json()["lang"] == me["lang"], "what is left out stays"
    for wrong in (
        {"choices": {"done": "shout"}},
        {"choices": {"dinner": "app_only"}},
        {"quiet": {"begin": "23:00", "end": "23:00", "zone": "Asia/Seoul"}},
        {"quiet": {"begin": "23:00", "end": "07:30", "zone": "Moon/Base"}},
    ):
        refused = await joined.put("/api/v1/me", json={"wishes": wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")
    assert (await joined.get("/api/v1/me")).json()["wishes"] == wishes


async def test_other_wishes_let_go_what_waits_for_the_end_of_quiet_hours(
    api: Api, joined: httpx.AsyncClient
) -> None:
    me = (await joined.get("/api/v1/me")).json()["resident"]
    morning_ms = round((datetime.now(UTC) + timedelta(hours=8)).timestamp() * 1_000)
    async with transaction(api.relay._db) as db:
        await api.relay._planner.plan(db, [notice_for(me)], Told())
        await db.execute("UPDATE notices SET state = 'quiet', due_at_ms = ?", (morning_ms,))
    answer = await joined.put("/api/v1/me", json={"wishes": {"choices": {}, "quiet": None}})
    assert answer.status_code == 200
    kept = await api.relay._db.execute_fetchall("SELECT state, due_at_ms FROM notices")
    assert all(row["state"] != "quiet" or row["due_at_ms"] < morning_ms for row in kept)
