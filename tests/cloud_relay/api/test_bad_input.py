"""Every bad input gets its problem document: one test each, named after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from cloud_relay.residents.tokens import Tokens
from laundryd.daemon.tokens import RELAY_AUDIENCE, SigningKey, sign_token
from laundryd.wire.errors import ERRORS, ErrorCode

if TYPE_CHECKING:
    from tests.cloud_relay.api.conftest import Api

ROOM = "/api/v1/rooms/maple-hall.north"
COMMAND = f"{ROOM}/machines/w1/claim"


def is_problem(answer: httpx.Response, code: ErrorCode) -> bool:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["code"] == code, body
    assert answer.status_code == body["status"] == ERRORS[code].status
    return True


async def test_no_token(api: Api) -> None:
    async with api.browser() as stranger:
        assert is_problem(await stranger.get("/api/v1/me"), ErrorCode.UNAUTHENTICATED)


async def test_a_token_that_is_no_token(api: Api) -> None:
    async with api.program("rubbish.rubbish.rubbish") as stranger:
        assert is_problem(await stranger.get("/api/v1/me"), ErrorCode.UNAUTHENTICATED)


async def test_a_token_for_another_audience(api: Api, joined: httpx.AsyncClient) -> None:
    voucher = (await joined.post(f"{ROOM}/voucher")).json()["token"]
    async with api.program(voucher) as thief:
        answer = await thief.get("/api/v1/me")
        assert is_problem(answer, ErrorCode.UNAUTHENTICATED)
        assert "not for relay" in answer.json()["detail"]


async def test_a_token_of_another_relay(api: Api, tmp_path_factory: pytest.TempPathFactory) -> None:
    key = SigningKey.load_or_create(tmp_path_factory.mktemp("other") / "key.pem")
    foreign = Tokens(key).issue("somebody", "device", datetime.now(UTC))
    async with api.program(foreign) as stranger:
        assert is_problem(await stranger.get("/api/v1/me"), ErrorCode.UNAUTHENTICATED)


async def test_a_token_that_has_expired(api: Api, joined: httpx.AsyncClient) -> None:
    me = (await joined.get("/api/v1/me")).json()
    then = datetime.now(UTC) - timedelta(days=100)
    old = sign_token(
        SigningKey.load_or_create(api.settings.keys.signing),
        resident=me["resident"],
        device=me["device"],
        audience=RELAY_AUDIENCE,
        rooms=frozenset(),
        issued_at=then,
        expires_at=then + timedelta(days=90),
    )
    async with api.program(old) as late:
        assert is_problem(await late.get("/api/v1/me"), ErrorCode.UNAUTHENTICATED)


async def test_a_token_of_a_deleted_resident(
    api: Api, token_of_new_resident: Callable[[], Awaitable[str]]
) -> None:
    async with api.program(await token_of_new_resident()) as resident:
        assert (await resident.delete("/api/v1/me")).status_code == 204
        assert is_problem(await resident.get("/api/v1/me"), ErrorCode.UNAUTHENTICATED)


async def test_a_foreign_origin(joined: httpx.AsyncClient) -> None:
    answer = await joined.post(
        COMMAND, json={"id": "c1"}, headers={"Origin": "https://evil.example"}
    )
    assert is_problem(answer, ErrorCode.FOREIGN_ORIGIN)


async def test_a_cookie_without_an_origin(joined: httpx.AsyncClient) -> None:
    del joined.headers["Origin"]
    answer = await joined.post(COMMAND, json={"id": "c1"})
    assert is_problem(answer, ErrorCode.FOREIGN_ORIGIN)


async def test_a_foreign_host(joined: httpx.AsyncClient) -> None:
    answer = await joined.get("/api/v1/me", headers={"Host": "evil.example"})
    assert is_problem(answer, ErrorCode.FOREIGN_HOST)


async def test_a_body_that_is_not_json(joined: httpx.AsyncClient) -> None:
    as_json = {"Content-Type": "application/json"}
    answer = await joined.post("/api/v1/join", content=b"{code:", headers=as_json)
    assert is_problem(answer, ErrorCode.NOT_JSON)


async def test_a_body_that_is_not_utf_8(joined: httpx.AsyncClient) -> None:
    as_json = {"Content-Type": "application/json"}
    answer = await joined.post("/api/v1/join", content=b'{"code":"\xff\xfe"}', headers=as_json)
    assert is_problem(answer, ErrorCode.NOT_JSON)


async def test_a_form_instead_of_json(joined: httpx.AsyncClient) -> None:
    answer = await joined.post("/api/v1/join", data={"code": "ABCD-EFGH"})
    assert is_problem(answer, ErrorCode.NOT_JSON)


async def test_a_body_with_an_unknown_field(joined: httpx.AsyncClient) -> None:
    answer = await joined.post(COMMAND, json={"id": "c1", "minuets": 30})
    assert is_problem(answer, ErrorCode.INVALID_BODY)
    assert "body.minuets" in answer.json()["fields"]


async def test_a_body_that_is_too_large(joined: httpx.AsyncClient) -> None:
    answer = await joined.post("/api/v1/join", json={"code": "A" * 20_000})
    assert is_problem(answer, ErrorCode.TOO_LARGE)


async def test_a_body_that_is_too_large_and_does_not_say_so(joined: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 1_000

    answer = await joined.post(
        "/api/v1/join", content=pieces(), headers={"Content-Type": "application/json"}
    )
    assert is_problem(answer, ErrorCode.TOO_LARGE)


async def test_an_unknown_address(joined: httpx.AsyncClient) -> None:
    assert is_problem(await joined.get("/api/v1/nothing"), ErrorCode.NOT_FOUND)


async def test_a_method_that_is_not_there(joined: httpx.AsyncClient) -> None:
    assert is_problem(await joined.put("/api/v1/join", json={}), ErrorCode.METHOD_NOT_ALLOWED)


@pytest.mark.parametrize("room", ["maple-hall.attic", "nonsense", "a.b.c", "MAPLE.north"])
async def test_an_unknown_room(joined: httpx.AsyncClient, room: str) -> None:
    assert is_problem(await joined.get(f"/api/v1/rooms/{room}"), ErrorCode.UNKNOWN_ROOM)


async def test_a_room_that_was_not_joined(joined: httpx.AsyncClient) -> None:
    other = "/api/v1/rooms/maple-hall.south"
    assert is_problem(await joined.get(other), ErrorCode.FOREIGN_ROOM)
    assert is_problem(await joined.post(f"{other}/voucher"), ErrorCode.FOREIGN_ROOM)
    answer = await joined.post(f"{other}/machines/w1/claim", json={"id": "c1"})
    assert is_problem(answer, ErrorCode.FOREIGN_ROOM)


async def test_an_unknown_machine(joined: httpx.AsyncClient) -> None:
    answer = await joined.post(f"{ROOM}/machines/w99/claim", json={"id": "c1"})
    assert is_problem(answer, ErrorCode.UNKNOWN_MACHINE)


async def test_an_unknown_command(joined: httpx.AsyncClient) -> None:
    answer = await joined.post(f"{ROOM}/machines/w1/explode", json={"id": "c1"})
    assert is_problem(answer, ErrorCode.UNKNOWN_COMMAND)


async def test_a_command_to_a_room_that_is_away(joined: httpx.AsyncClient) -> None:
    answer = await joined.post(COMMAND, json={"id": "c1"})
    assert is_problem(answer, ErrorCode.EDGE_OFFLINE)
    detail = answer.json()["detail"]
    assert "last heard at" in detail
    assert detail.count(ERRORS[ErrorCode.EDGE_OFFLINE].remedy) == 1


async def test_a_voucher_at_the_relay(joined: httpx.AsyncClient) -> None:
    answer = await joined.post("/api/v1/join", json={"voucher": "x" * 30})
    assert is_problem(answer, ErrorCode.INVALID_BODY)


async def test_a_wrong_join_code(api: Api) -> None:
    async with api.browser() as stranger:
        answer = await stranger.post("/api/v1/join", json={"code": "AAAA-AAAA"})
        assert is_problem(answer, ErrorCode.JOIN_CODE_INVALID)


async def test_a_wrong_link_code(api: Api) -> None:
    async with api.browser() as stranger:
        answer = await stranger.post("/api/v1/devices/link", json={"code": "AAAA-AAAA"})
        assert is_problem(answer, ErrorCode.LINK_CODE_INVALID)


async def test_too_many_codes_from_one_address(api: Api) -> None:
    async with api.browser() as stranger:
        for _ in range(api.settings.join.tries_per_address_h):
            await stranger.post("/api/v1/join", json={"code": "AAAA-AAAA"})
        answer = await stranger.post("/api/v1/join", json={"code": api.codes["maple-hall.north"]})
        assert is_problem(answer, ErrorCode.RATE_LIMITED)
        assert 0 < int(answer.headers["Retry-After"]) <= 3_600


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://127.0.0.1/x",
        "https://evil.example/fcm.googleapis.com/",
        "https://fcm.googleapis.com.evil.example/",
        "https://user@fcm.googleapis.com/x",
    ],
)
async def test_a_push_address_that_is_no_push_service(
    joined: httpx.AsyncClient, endpoint: str
) -> None:
    body = {"endpoint": endpoint, "keys": {"p256dh": "A" * 87, "auth": "A" * 22}}
    answer = await joined.put("/api/v1/push/subscriptions", json=body)
    assert is_problem(answer, ErrorCode.ENDPOINT_REFUSED)
    assert endpoint not in answer.text


async def test_push_keys_of_a_wrong_length(joined: httpx.AsyncClient) -> None:
    body = {"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": "AAAA", "auth": "AAAA"}}
    answer = await joined.put("/api/v1/push/subscriptions", json=body)
    assert is_problem(answer, ErrorCode.INVALID_BODY)
    assert answer.json()["fields"] == ["body.keys.p256dh"]
