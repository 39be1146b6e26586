"""Our WebSockets under the real server, with real clients and with bare sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from laundryd.daemon import doorstep, live_socket
from laundryd.daemon.live_socket import FRAMES_EXTENSION, MESSAGE_MAX_BYTES
from laundryd.daemon.serve import listen, serve
from laundryd.wire import rfc6455

UPGRADE = (
    b"GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class App:
    """Says over what a client's text asks for. ``ends``: with what each connection ended."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.ends: asyncio.Queue[int] = asyncio.Queue()
        self.held = asyncio.Event()
        self.held.set()
        self.is_dammed = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = [(b"content-length", b"4")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"page"})
            return
        self.scopes.append(dict(scope))
        assert (await receive())["type"] == "websocket.connect"
        if await self._refused(scope["path"], send):
            return
        await send({"type": "websocket.accept", "headers": [(b"x-mine", b"1")]})
        writer = scope["extensions"][FRAMES_EXTENSION]
        while (message := await receive())["type"] != "websocket.disconnect":
            await self.held.wait()
            await self._obey(message, send, writer.write_frame)
        self.ends.put_nowait(message["code"])

    async def _refused(self, path: str, send: Send) -> bool:
        if path == "/forbidden":
            await send({"type": "websocket.close"})
        elif path == "/unauthenticated":
            headers = [(b"content-type", b"application/problem+json")]
            start = {"type": "websocket.http.response.start", "status": 401, "headers": headers}
            await send(start)
            await send({"type": "websocket.http.response.body", "body": b'{"status":401}'})
        elif path == "/broken":
            raise ValueError("broken")
        return path != "/live"

    async def _obey(self, message: Message, send: Send, write: Callable[[bytes], bool]) -> None:
        text = message.get("text")
        if text is None:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
        elif text == "close":
            await send({"type": "websocket.close", "code": 4_001, "reason": "late"})
        elif text == "break":
            raise ValueError("broken")
        elif text.startswith("frame "):
            assert write(rfc6455.server_frame(rfc6455.Opcode.TEXT, text[6:].encode()))
        elif text == "fill":
            frame = rfc6455.server_frame(rfc6455.Opcode.TEXT, bytes(10_000))
            while write(frame):  # noqa: ASYNC110 -- lets the transport try to send, no more
                await asyncio.sleep(0)
            self.is_dammed.set()
        elif text == "flood":
            frame = rfc6455.server_frame(rfc6455.Opcode.TEXT, bytes(10_000))
            while write(frame):  # noqa: ASYNC110 -- lets the transport try to send, no more
                await asyncio.sleep(0)
            self.is_dammed.set()
            await send({"type": "websocket.send", "text": "dry again"})
        else:
            await send({"type": "websocket.send", "text": text})


@asynccontextmanager
async def serving(app: App) -> AsyncGenerator[int]:
    listener = listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    started = asyncio.Event()
    task = asyncio.create_task(serve(app, listener, on_started=started.set))
    async with asyncio.timeout(10):
        await started.wait()
    try:
        yield port
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def app() -> App:
    return App()


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with serving(app) as port, asyncio.timeout(30):
        yield port


def client(port: int, path: str = "/live") -> connect:
    return connect(f"ws://127.0.0.1:{port}{path}", compression=None, ping_interval=None)


@asynccontextmanager
async def bare(
    port: int, sent: bytes
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        yield reader, writer
    finally:
        writer.close()


async def head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def write_on(writer: asyncio.StreamWriter, data: bytes) -> None:
    while True:
        writer.write(data)
        await writer.drain()


async def test_texts_bytes_and_frames_go_both_ways(port: int) -> None:
    async with client(port) as socket:
        assert socket.response is not None
        assert socket.response.headers["x-mine"] == "1"
        for said in ("hello", "세탁", "x" * 60_000, b"\x00\xff"):
            await socket.send(said)
            assert await socket.recv() == said
        await socket.send("frame made beforehand")
        assert await socket.recv() == "made beforehand"


async def test_the_application_sees_the_request(port: int, app: App) -> None:
    async with connect(
        f"ws://127.0.0.1:{port}/live?a=%20b",
        additional_headers={"Cookie": "c=1", "Authorization": "Bearer t"},
    ):
        (scope,) = app.scopes
    headers = dict(scope["headers"])
    assert (headers[b"cookie"], headers[b"authorization"]) == (b"c=1", b"Bearer t")
    assert (scope["path"], scope["query_string"], scope["scheme"]) == ("/live", b"a=%20b", "ws")
    assert scope["server"] == ("127.0.0.1", port)
    assert scope["client"][0] == "127.0.0.1"


async def test_a_message_in_many_parts_is_one_and_pings_between_are_answered(port: int) -> None:
    async with client(port) as socket:

        async def parts() -> AsyncIterator[str]:
            yield "one "
            await (await socket.ping())
            yield "whole"

        await socket.send(parts())
        assert await socket.recv() == "one whole"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/forbidden", 403, b""),
        ("/unauthenticated", 401, b'{"status":401}'),
        ("/broken", 500, b""),
    ],
)
async def test_a_refused_handshake_is_answered(
    port: int, path: str, status: int, body: bytes
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with client(port, path):
            pass
    assert refused.value.response.status_code == status
    assert (refused.value.response.body or b"") == body


async def test_a_client_closes_and_the_application_hears_the_code(port: int, app: App) -> None:
    async with client(port) as socket:
        await socket.close(1001)
    assert await app.ends.get() == 1001
    assert socket.close_code == 1001


async def test_the_application_closes_and_the_client_hears_the_code(port: int, app: App) -> None:
    async with client(port) as socket:
        await socket.send("close")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4_001, "late")
    assert await app.ends.get() == 4_001


async def test_a_connection_that_is_lost_is_told_as_such(port: int, app: App) -> None:
    async with bare(port, UPGRADE) as (reader, writer):
        assert b" 101 " in await head(reader)
        writer.transport.abort()
        assert await app.ends.get() == 1006


async def test_a_failing_application_closes_with_1011(port: int) -> None:
    async with client(port) as socket:
        await socket.send("break")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x01x", 1002),
        (Frame(Opcode.TEXT, b"\xff").serialize(mask=True), 1007),
        (Frame(Opcode.TEXT, bytes(MESSAGE_MAX_BYTES + 1)).serialize(mask=True)[:14], 1009),
    ],
)
async def test_who_breaks_the_protocol_is_closed_with_a_code(
    port: int, app: App, sent: bytes, code: int
) -> None:
    async with bare(port, UPGRADE + sent) as (reader, _):
        await head(reader)
        assert await reader.read() == rfc6455.close_frame(code)
    assert await app.ends.get() == code


async def test_a_head_that_comes_byte_by_byte_is_a_head(port: int) -> None:
    async with bare(port, b"") as (reader, writer):
        for byte in UPGRADE:
            writer.write(bytes((byte,)))
            await writer.drain()
        assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in await head(reader)


@pytest.mark.parametrize(
    ("instead", "status"),
    [
        ((b"-Version: 13", b"-Version: 8"), b"426"),
        ((b"-Key: dGhl", b"-Key: d"), b"400"),
    ],
)
async def test_a_handshake_of_another_kind_is_refused(
    port: int, instead: tuple[bytes, bytes], status: bytes
) -> None:
    async with bare(port, UPGRADE.replace(*instead)) as (reader, _):
        assert (await reader.read()).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
    ],
)
async def test_everything_else_is_http(port: int, request_head: bytes) -> None:
    async with bare(port, request_head) as (reader, _):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"page")


async def test_a_head_without_end_is_refused(port: int) -> None:
    async with bare(port, b"GET / HTTP/1.1\r\nX: " + bytes(100_000).replace(b"\0", b"x")) as (r, _):
        assert (await r.read()).startswith(b"HTTP/1.1 400")


async def test_a_proxys_kept_connection_may_become_a_websocket(port: int) -> None:
    page = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    text = Frame(Opcode.TEXT, b"frame hello").serialize(mask=True)
    async with bare(port, page) as (reader, writer):
        assert b" 200 " in await head(reader)
        await reader.readuntil(b"page")
        writer.write(UPGRADE)
        assert b" 101 " in await head(reader)
        for _ in range(3):
            writer.write(text)
            assert await reader.readexactly(7) == b"\x81\x05hello"


async def test_a_slow_reader_is_waited_for_and_then_goes_on(port: int, app: App) -> None:
    flood = Frame(Opcode.TEXT, b"flood").serialize(mask=True)
    async with bare(port, UPGRADE + flood) as (reader, _):
        await head(reader)
        await app.is_dammed.wait()
        tail = b""
        while not tail.endswith(b"\x81\x09dry again"):
            data = await reader.read(1 << 16)
            assert data
            tail = (tail + data)[-100:]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=True), 1000),
        (b"\x81\x01x", 1002),
        (Frame(Opcode.TEXT, b"break").serialize(mask=True), None),
    ],
    ids=["who_closes", "who_breaks_the_protocol", "whose_application_fails"],
)
async def test_a_parting_peer_that_takes_nothing_is_cut_off_and_what_waits_for_it_let_go(
    app: App, monkeypatch: pytest.MonkeyPatch, sent: bytes, code: int | None
) -> None:
    grace_s = 0.5
    monkeypatch.setattr(live_socket, "CLOSE_GRACE_S", grace_s)
    fill = Frame(Opcode.TEXT, b"fill").serialize(mask=True)
    loop = asyncio.get_running_loop()
    async with serving(app) as port, asyncio.timeout(20), bare(port, UPGRADE + fill) as (_, writer):
        await app.is_dammed.wait()
        (scope,) = app.scopes
        served = scope["extensions"][FRAMES_EXTENSION]
        assert served.transport.get_write_buffer_size() > 0
        writer.write(sent)
        if code is not None:
            assert await app.ends.get() == code
        while not served.transport.is_closing():  # noqa: ASYNC110 -- it has no event for a test
            await asyncio.sleep(0.001)
        parted_s = loop.time()
        assert served.transport.get_write_buffer_size() > 0, "it still has its time to take it"
        while served in served._state.connections:  # noqa: ASYNC110 -- it has no event for a test
            await asyncio.sleep(0.005)
        assert loop.time() - parted_s >= 0.8 * grace_s
        assert served.transport.get_write_buffer_size() == 0
        async with client(port) as other:
            await other.send("still here")
            assert await other.recv() == "still here"


async def test_what_nobody_reads_waits_in_the_kernel_not_here(port: int, app: App) -> None:
    said = bytes(1_000).replace(b"\0", b"x")
    frame = Frame(Opcode.TEXT, b"frame " + said).serialize(mask=True)
    answer = rfc6455.server_frame(rfc6455.Opcode.TEXT, said)
    async with client(port) as other, bare(port, UPGRADE) as (reader, writer):
        await head(reader)
        app.held.clear()
        # More than the buffers of both kernels hold: it ends because the server does not read on.
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(write_on(writer, frame * 100), 0.5)
        app.held.set()
        assert await reader.readexactly(len(answer) * 100) == answer * 100
        await other.send("still here")
        assert await other.recv() == "still here"


async def test_a_stopping_server_says_goodbye(app: App) -> None:
    async with serving(app) as port, asyncio.timeout(10):
        socket: ClientConnection = await client(port)
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert await app.ends.get() == 1012


async def test_a_thousand_pings_are_answered_in_order(port: int) -> None:
    pings = b"".join(
        Frame(Opcode.PING, json.dumps(number).encode()).serialize(mask=True)
        for number in range(1_000)
    )
    async with bare(port, UPGRADE + pings) as (reader, _):
        await head(reader)
        for number in range(1_000):
            size = (await reader.readexactly(2))[1]
            assert json.loads(await reader.readexactly(size)) == number


@pytest.mark.parametrize("sent", [b"", b"GET /live HTTP/1.1\r\nHost: local"])
async def test_a_handshake_that_does_not_end_is_ended(
    app: App, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorstep, "HEAD_S", 0.1)
    async with serving(app) as port, asyncio.timeout(10), bare(port, sent) as (reader, _):
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
