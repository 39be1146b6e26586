"""The Python client over real sockets: that its I/O does what its core decides."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from laundryd.daemon import problems
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.serve import listen
from laundryd.daemon.serve import serve as serve_http
from laundryd.live.client import LiveClient
from laundryd.live.driver import Told
from laundryd.live.errors import LiveClosedError, LiveRefusedError
from laundryd.live.following.actions import Apply, Show, State, Take
from laundryd.live.web import Web, refused
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.errors import ErrorCode
from laundryd.wire.events import AckKind
from laundryd.wire.ids import PagePosition
from laundryd.wire.machines import RoomSnapshot
from tests.live.stage import AT, EPOCH, ROOM, Stage, StartLive, eventually, make_event, make_notice

NOTICE = make_notice("done").id
ANN = "ann:phone"


@asynccontextmanager
async def rooms_over_http(
    live: Stage, refuse: ErrorCode | None = None, retry_after_s: float | None = None
) -> AsyncIterator[Web]:
    """The room of ``live``'s journal, whole, at its head."""
    app = FastAPI()
    problems.install(app)

    @app.get("/api/v1/rooms/{room}")
    async def whole(room: str) -> RoomSnapshot:
        if refuse is not None:
            raise ProblemError(refuse, retry_after_s=retry_after_s)
        position = live.desk.position(room)
        assert position is not None
        return RoomSnapshot(room=room, name="Basement", position=position, at=AT, machines=[])

    @app.get("/api/v1/me")
    async def me() -> None:
        raise ProblemError(ErrorCode.UNAUTHENTICATED)

    listener = listen("127.0.0.1", 0)
    started = asyncio.Event()
    task = asyncio.create_task(serve_http(app, listener, on_started=started.set))
    await started.wait()
    try:
        yield Web(f"http://127.0.0.1:{listener.getsockname()[1]}", "ann:phone")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def watcher(live: Stage, web: Web, told: list[Told], token: str = ANN) -> LiveClient:
    return LiveClient(live.url, token, rooms=[ROOM], web=web, listener=told.append)


def port_of(server: Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


def shown(told: list[Told]) -> list[object]:
    """What a reader of ``told`` sees of the room: an offset for an event, ``room`` for the whole."""
    seen: list[object] = []
    for item in told:
        if isinstance(item, Take):
            seen.append("room")
        elif isinstance(item, Apply):
            seen.append(item.event.offset)
    return seen


async def test_a_page_that_is_online_again_does_not_wait_for_its_next_try(
    start_live: StartLive,
) -> None:
    live = await start_live(backoff_first_s=60.0, backoff_cap_s=60.0)
    async with live.client() as client:
        await client.welcomed()
        client.drop()
        async with asyncio.timeout(5):
            while client.connections < 2:
                client.try_now()
                await asyncio.sleep(0.05)  # the drop takes a turn or two of the loop to be noticed


async def test_the_room_comes_first_then_every_event_once(start_live: StartLive) -> None:
    live = await start_live(backoff_first_s=0.01)
    live.desk.append(1)
    told: list[Told] = []
    async with rooms_over_http(live) as web, watcher(live, web, told) as client:
        await client.welcomed()
        await live.publish(2)
        await client.next_event()
        client.drop()
        live.desk.append(3)
        await client.welcomed()
        await live.publish(4)
        await eventually(lambda: 4 in shown(told))
    assert shown(told) == ["room", 2, 3, 4]


async def test_an_event_that_never_came_is_fetched_by_resuming(start_live: StartLive) -> None:
    live = await start_live(backoff_first_s=0.01)
    told: list[Told] = []
    async with rooms_over_http(live) as web, watcher(live, web, told) as client:
        await client.welcomed()
        for offset in (1, 2):
            live.desk.append(offset)  # kept, and lost on its way to the client
        await live.publish(3)
        await eventually(lambda: 3 in shown(told))
        assert client.connections == 2
    assert shown(told) == ["room", 1, 2, 3]


async def test_beyond_what_is_replayed_the_room_is_fetched_anew(start_live: StartLive) -> None:
    live = await start_live(backoff_first_s=0.01, replay_max=2)
    told: list[Told] = []
    async with rooms_over_http(live) as web, watcher(live, web, told) as client:
        await client.welcomed()
        client.drop()
        for offset in range(1, 6):
            live.desk.append(offset)
        await client.welcomed()
        await eventually(lambda: shown(told).count("room") == 2)
        await live.publish(6)
        await eventually(lambda: 6 in shown(told))
        assert client.positions[ROOM] == PagePosition(epoch=EPOCH, offset=6)
    assert shown(told) == ["room", "room", 6]


async def test_acknowledgements_without_a_connection_are_told_with_the_next(
    start_live: StartLive,
) -> None:
    live = await start_live(backoff_first_s=60.0, backoff_cap_s=60.0)
    async with live.client() as client:
        await client.welcomed()
        client.drop()
        await eventually(lambda: client.state is State.CONNECTING)
        await client.ack([NOTICE])
        client.try_now()
        await eventually(lambda: live.desk.acks != [])
        assert live.desk.acks[0][2:] == ((NOTICE,), AckKind.SHOWN)


async def test_an_acknowledgement_that_no_pong_confirmed_is_told_again(
    start_live: StartLive,
) -> None:
    live = await start_live(backoff_first_s=0.01)
    async with live.client() as client:
        await client.welcomed()
        await client.read([NOTICE])
        await eventually(lambda: len(live.desk.acks) == 1)
        client.drop()
        await eventually(lambda: len(live.desk.acks) == 2)
        assert live.desk.acks[0][2:] == live.desk.acks[1][2:] == ((NOTICE,), AckKind.READ)
        client.try_now()  # a live connection is asked, and answers
        await client.next_frame(frames.Pong)
        client.drop()
        await client.welcomed()
        await client.welcomed()
        await client.ping()
        await client.next_frame(frames.Pong)
        assert len(live.desk.acks) == 2


async def test_the_answer_to_an_earlier_ping_confirms_nothing(start_live: StartLive) -> None:
    live = await start_live(backoff_first_s=0.01)
    async with live.client() as client:
        await client.welcomed()
        await client.ping()
        await client.ack([NOTICE])
        await client.next_frame(frames.Pong)
        await eventually(lambda: len(live.desk.acks) == 1)
        client.drop()
        await eventually(lambda: len(live.desk.acks) == 2)


async def test_a_server_that_falls_silent_is_left(start_live: StartLive) -> None:
    live = await start_live()
    welcome = (
        '{"type":"welcome","session_id":"s1","heartbeat_s":0.1,"batch_ms":100,'
        '"backoff":{"first_s":0.01,"factor":1,"cap_s":0.01,"jitter":"full"},'
        '"clock":{"at":"2026-11-23T20:00:00Z","speed":1},"rooms":{}}'
    )
    heard: list[str | bytes] = []

    async def silent(socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            heard.append(await socket.recv())
            await socket.send(welcome)
            while True:
                heard.append(await socket.recv())

    async with serve(silent, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        client = live.client()
        client._driver.url = f"ws://127.0.0.1:{port_of(server)}"
        async with client:
            await eventually(lambda: client.connections >= 2)
            assert any('"ping"' in str(message) for message in heard)
            assert any('"session_id":"s1"' in str(message) for message in heard)


async def test_a_redirect_does_not_take_the_token_to_another_server(start_live: StartLive) -> None:
    live = await start_live(backoff_first_s=0.01)
    came: list[str] = []

    async def other(socket: ServerConnection) -> None:
        came.append(str(socket.request))

    tries = 0

    def redirect(connection: ServerConnection, _request: Request) -> Response:
        nonlocal tries
        tries += 1
        response = connection.respond(307, "")
        response.headers["Location"] = f"ws://127.0.0.1:{port_of(elsewhere)}/api/v1/live"
        return response

    async with (
        serve(other, "127.0.0.1", 0) as elsewhere,
        serve(other, "127.0.0.1", 0, process_request=redirect) as named,
    ):
        client = live.client()
        client._driver.url = f"ws://127.0.0.1:{port_of(named)}/api/v1/live"
        client._core._link.backoff.rule = frames.Backoff(first_s=0.01, factor=1, cap_s=0.01)
        async with client:
            await eventually(lambda: tries >= 3)
    assert came == []


async def test_the_end_and_its_reason_are_told(start_live: StartLive) -> None:
    live = await start_live()
    told: list[Told] = []
    async with rooms_over_http(live) as web, watcher(live, web, told) as client:
        await client.welcomed()
        live.server.close_device("phone")
        async with asyncio.timeout(5):
            ended = await client.ended()
        assert isinstance(ended, LiveClosedError)
        assert ended.code == CloseCode.REVOKED
        assert told.count(Show(State.STOPPED)) == 1


async def test_a_refused_handshake_ends_it_with_the_server_s_words(start_live: StartLive) -> None:
    live = await start_live()
    told: list[Told] = []
    async with rooms_over_http(live) as web, watcher(live, web, told, "rubbish") as client:
        async with asyncio.timeout(5):
            ended = await client.ended()
        assert isinstance(ended, LiveRefusedError)
        assert (ended.status, ended.code) == (401, "unauthenticated")


async def test_a_room_that_is_refused_is_told_and_asked_for_once(start_live: StartLive) -> None:
    live = await start_live()
    told: list[Told] = []
    web_of = rooms_over_http(live, refuse=ErrorCode.FOREIGN_ROOM)
    async with web_of as web, watcher(live, web, told) as client:
        await client.welcomed()
        refusals = [item for item in told if isinstance(item, LiveRefusedError)]
        assert [refusal.code for refusal in refusals][:1] == ["foreign_room"]


async def test_a_full_server_is_left_alone_for_as_long_as_it_says(start_live: StartLive) -> None:
    live = await start_live(connections_max=1, retry_after_s=40)
    async with live.client("first:phone") as first, live.client("second:phone") as second:
        await first.welcomed()
        link = second._core._link
        await eventually(lambda: link._not_before_s > 0)
        left_s = (link.due_s or 0.0) - asyncio.get_running_loop().time()
        assert 39 < left_s < 42, "the server's 40 s, and the first backoff's wait"
        second.try_now()
        assert second.state is State.CONNECTING


async def test_a_room_is_left_alone_for_as_long_as_its_server_says(start_live: StartLive) -> None:
    live = await start_live()
    told: list[Told] = []
    web_of = rooms_over_http(live, refuse=ErrorCode.RATE_LIMITED, retry_after_s=40)
    async with web_of as web, watcher(live, web, told) as client:
        await client.welcomed()
        fetch = client._core.rooms._fetches[ROOM]
        left_s = (fetch.due_s or 0.0) - asyncio.get_running_loop().time()
        assert 38 < left_s < 42, "the server's 40 s, and the first backoff's wait"


@pytest.mark.parametrize(
    ("header", "retry_after_s"),
    [
        ("7", 7.0),
        (None, None),
        ("-7", None),
        ("Fri, 27 Nov 2026 10:00:00 GMT", None),
        ("7.5", None),
    ],
)
def test_only_whole_seconds_of_retry_after_count(
    header: str | None, retry_after_s: float | None
) -> None:
    assert refused(503, b"{}", header).retry_after_s == retry_after_s


@pytest.mark.parametrize(
    "url", ["laundry.example.org", "ftp://x", "https://", "https://ann:secret@x", "https://x:port"]
)
def test_an_address_that_is_none_of_a_server_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(ValueError) as said:  # noqa: PT011 -- the message is looked at below
        Web(url)
    assert "secret" not in str(said.value)


async def test_an_event_of_another_epoch_is_no_double(start_live: StartLive) -> None:
    live = await start_live()
    async with live.client() as client:
        await client.welcomed()
        live.server.publish(make_event(1, follows=0, epoch="e2"))
        assert (await client.next_event()).item.epoch == "e2"
        assert client.needs_snapshot == {ROOM}
        assert client.duplicates == 0
