from __future__ import annotations

import asyncio

import pytest

from laundryd.live.handshake import judge, read_headers
from laundryd.live.settings import LiveSettings
from laundryd.wire.errors import ErrorCode
from tests.live.stage import ROOM, Stage, StartLive, closed, identify_text, refused

COOKIE = "laundryd_relay=ann:phone"


async def test_a_missing_token_gets_401_and_a_problem_document(start_live: StartLive) -> None:
    live = await start_live()
    page = f"http://127.0.0.1:{live.port}"
    status, problem, headers = await refused(live.raw(None, origin=page))
    assert status == 401
    assert problem["code"] == "unauthenticated"
    assert problem["status"] == 401
    assert headers["content-type"] == "application/problem+json"
    assert headers["www-authenticate"] == "Bearer"


async def test_a_refused_token_gets_401_and_is_not_repeated_in_the_answer(
    start_live: StartLive,
) -> None:
    live = await start_live()
    status, problem, _ = await refused(live.raw("forged-token"))
    assert status == 401
    assert "forged-token" not in str(problem)


async def test_a_cookie_from_our_own_page_is_let_in(start_live: StartLive) -> None:
    live = await start_live()
    page = f"http://127.0.0.1:{live.port}"
    async with live.raw(None, origin=page, Cookie=COOKIE) as socket:
        await socket.send(identify_text())
        assert '"welcome"' in str(await socket.recv())


async def test_a_foreign_origin_gets_403_even_with_a_good_cookie(start_live: StartLive) -> None:
    live = await start_live()
    opening = live.raw(None, origin="https://evil.example", Cookie=COOKIE)
    status, problem, _ = await refused(opening)
    assert (status, problem["code"]) == (403, "foreign_origin")


async def test_a_cookie_without_an_origin_gets_403(start_live: StartLive) -> None:
    live = await start_live()
    status, problem, _ = await refused(live.raw(None, Cookie=COOKIE))
    assert (status, problem["code"]) == (403, "foreign_origin")


async def test_a_foreign_host_gets_421(start_live: StartLive) -> None:
    live = await start_live(allowed_hosts=["laundry.example"])
    status, problem, _ = await refused(live.raw())
    assert (status, problem["code"]) == (421, "foreign_host")


async def test_the_connection_over_the_limit_gets_503_and_when_to_come_back(
    start_live: StartLive,
) -> None:
    live = await start_live(connections_max=1)
    async with live.raw() as first:
        await first.send(identify_text())
        await first.recv()
        status, problem, headers = await refused(live.raw("ben:phone"))
        assert (status, problem["code"]) == (503, "busy")
        assert int(headers["retry-after"]) >= 1
    async with asyncio.timeout(5):
        while True:
            try:
                async with live.raw("ben:phone") as second:
                    await second.send(identify_text())
                    assert '"welcome"' in str(await second.recv())
                    return
            except OSError:
                continue


async def test_a_stopped_server_gets_503_instead_of_sessions_without_timers(
    start_live: StartLive,
) -> None:
    live = await start_live()
    live.server._tasks = None
    status, problem, _ = await refused(live.raw())
    assert (status, problem["code"]) == (503, "busy")


async def test_plain_http_at_the_live_address_gets_a_problem_document(
    start_live: StartLive,
) -> None:
    live = await start_live()
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    writer.write(b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith("HTTP/1.1 404")
    assert "application/problem+json" in answer


async def test_a_door_that_fails_gets_500_and_the_server_lives(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await start_live()

    async def broken(_headers: object) -> None:
        raise OSError("no database")

    with monkeypatch.context() as patch:
        patch.setattr(live.door, "admit", broken)
        status, problem, _ = await refused(live.raw())
    assert (status, problem["code"]) == (500, "internal")
    assert await _is_welcomed(live)


async def _is_welcomed(live: Stage) -> bool:
    async with live.client() as client:
        return ROOM in (await client.welcomed()).rooms


async def test_an_expired_token_ends_its_connection_with_4503(start_live: StartLive) -> None:
    live = await start_live(identify_s=0.2)
    live.door.expires_in_s = 0.1
    async with live.raw() as socket:
        await socket.send(identify_text())
        assert await closed(socket) == 4503


@pytest.mark.parametrize(
    ("origin", "host", "refusal"),
    [
        ("http://192.168.0.5:8080", "192.168.0.5:8080", None),
        ("https://192.168.0.5:8080", "192.168.0.5:8080", None),
        ("https://app.example", "192.168.0.5", None),
        ("http://192.168.0.5:9999", "192.168.0.5:8080", ErrorCode.FOREIGN_ORIGIN),
        ("http://192.168.0.5.evil.example", "192.168.0.5", ErrorCode.FOREIGN_ORIGIN),
        ("ftp://192.168.0.5", "192.168.0.5", ErrorCode.FOREIGN_ORIGIN),
        ("null", "192.168.0.5", ErrorCode.FOREIGN_ORIGIN),
        ("http://[", "192.168.0.5", ErrorCode.FOREIGN_ORIGIN),
        ("", "192.168.0.5", ErrorCode.FOREIGN_ORIGIN),
        ("http://evil.example", "evil.example", ErrorCode.FOREIGN_HOST),
        ("http://192.168.0.5", "", ErrorCode.FOREIGN_HOST),
        ("http://192.168.0.5", "192.168.0.5, evil.example", ErrorCode.FOREIGN_HOST),
        ("http://192.168.0.5", "192.168.0.5:80, evil.example", ErrorCode.FOREIGN_HOST),
        ("http://192.168.0.5", "192.168.0.5:", ErrorCode.FOREIGN_HOST),
    ],
)
def test_origin_and_host_are_judged(origin: str, host: str, refusal: ErrorCode | None) -> None:
    settings = LiveSettings(
        allowed_hosts=frozenset({"192.168.0.5"}),
        allowed_origins=frozenset({"https://app.example"}),
    )
    found = judge({"host": host, "origin": origin}, settings)
    assert (found.code if found else None) == refusal


def test_a_name_that_an_admin_wrote_with_capitals_is_the_same_name() -> None:
    settings = LiveSettings(allowed_hosts=frozenset({"Laundry.local"}))
    assert (
        judge({"host": "laundry.local:8080", "origin": "http://laundry.local:8080"}, settings)
        is None
    )


def test_a_doubled_host_is_nobodys_name_and_cookies_are_joined() -> None:
    headers = read_headers(
        [(b"Host", b"localhost"), (b"host", b"evil"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]
    )
    assert headers == {"host": "localhost, evil", "cookie": "a=1; b=2"}
