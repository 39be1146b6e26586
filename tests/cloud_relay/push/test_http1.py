"""The sender's HTTP over real sockets, against a service that says to the byte what a test wants."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from cloud_relay.push import http1
from cloud_relay.push.endpoints import Endpoint, PushHosts, read_endpoint
from cloud_relay.push.http1 import ANSWER_MAX_BYTES, Answer, Connection, Connections, NotHttpError
from cloud_relay.push.resolver import PublicResolver
from laundryd.demo.certificate import LocalCertificate
from tests.cloud_relay.world import eventually

CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
LATER = b"HTTP/1.1 429 Too Many Requests\r\nRETRY-AFTER: 7\r\nContent-Length: 4\r\n\r\nbusy"


@dataclass
class Script(asyncio.Protocol):
    """One connection at the service: each request gets the next answer; None: the connection is cut."""

    service: Service
    got: bytes = b""
    transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.service.connections.append(self)

    @override
    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        self.got += data
        head, end, body = self.got.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or b"0")
        if not end or len(body) < length:
            return
        self.got = body[length:]
        self.service.requests.append(head + end + body[:length])
        answer = self.service.answers.pop(0) if self.service.answers else CREATED
        if answer is None:
            self.transport.abort()
        else:
            self.transport.write(answer)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.service.lost += 1


@dataclass
class Service:
    connections: list[Script] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    answers: list[bytes | None] = field(default_factory=list)
    lost: int = 0


@dataclass
class World:
    service: Service
    endpoint: Endpoint
    pool: Connections
    timeout_s: float = 10.0

    async def post(self, body: bytes = b"x") -> Answer:
        return await self.pool.post(self.endpoint, "TTL: 5\r\n", body, self.timeout_s)


@asynccontextmanager
async def world(tls: LocalCertificate | None = None) -> AsyncGenerator[World]:
    service = Service()
    server = await asyncio.get_running_loop().create_server(
        lambda: Script(service), "127.0.0.1", 0, ssl=tls.for_server() if tls else None
    )
    origin = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    hosts = PushHosts(testing_origins=frozenset({origin}))
    trusted = tls.for_client() if tls else ssl.create_default_context()
    pool = Connections(PublicResolver(hosts), trusted)
    try:
        yield World(service, read_endpoint(f"{origin}/push/a?b=c", hosts), pool)
    finally:
        await pool.close()
        server.close()
        await server.wait_closed()


async def test_what_is_sent_is_a_whole_request() -> None:
    async with world() as one:
        assert await one.post(b"body") == Answer(201, None)
        host = one.endpoint.origin.removeprefix("http://").encode()
        assert one.service.requests == [
            b"POST /push/a?b=c HTTP/1.1\r\nHost: "
            + host
            + b"\r\nContent-Length: 4\r\nTTL: 5\r\n\r\nbody"
        ]


async def test_one_connection_serves_one_request_after_the_other() -> None:
    async with world() as one:
        one.service.answers = [CREATED, LATER, CREATED]
        answers = [await one.post() for _ in range(3)]
        assert answers == [Answer(201, None), Answer(429, "7"), Answer(201, None)]
        assert len(one.service.connections) == 1


async def test_over_tls_too(tmp_path: Path) -> None:
    async with world(LocalCertificate.make(tmp_path)) as one:
        assert [await one.post() for _ in range(3)] == [Answer(201, None)] * 3
        assert len(one.service.connections) == 1


async def test_requests_at_the_same_time_have_a_connection_each() -> None:
    async with world() as one:
        await asyncio.gather(*(one.post() for _ in range(5)))
        await asyncio.gather(*(one.post() for _ in range(5)))
        assert len(one.service.connections) == 5


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n", Answer(201, None)),
        (b"HTTP/1.0 410 Gone\r\nContent-Length: 0\r\n\r\n", Answer(410, None)),
        # A body without an end: the head says all that is read.
        (b"HTTP/1.1 503 Busy\r\nRetry-After: 9\r\n\r\nlater", Answer(503, "9")),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 9999999\r\n\r\nbegun", Answer(500, None)),
    ],
)
async def test_a_connection_that_cannot_go_on_is_not_used_again(
    answer: bytes, said: Answer
) -> None:
    async with world() as one:
        one.service.answers = [answer]
        assert await one.post() == said
        assert await one.post() == Answer(201, None)
        assert len(one.service.connections) == 2
        await eventually(lambda: one.service.lost == 1, "the first one is closed")


async def test_an_interim_answer_is_none() -> None:
    async with world() as one:
        early = b"HTTP/1.1 103 Early Hints\r\nRetry-After: 99\r\nLink: </x>\r\n\r\n"
        one.service.answers = [early + CREATED, LATER]
        assert [await one.post() for _ in range(2)] == [Answer(201, None), Answer(429, "7")]
        assert len(one.service.connections) == 1


@pytest.mark.parametrize(
    "extra", [CREATED, b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", b"rubbish", b"\x00" * 9]
)
async def test_an_answer_that_nobody_asked_for_passes_for_no_other(extra: bytes) -> None:
    async with world() as one:
        one.service.answers = [LATER + extra]
        assert await one.post() == Answer(429, "7")
        assert await one.post() == Answer(201, None)
        assert len(one.service.connections) == 2


async def test_one_that_comes_later_ends_its_connection() -> None:
    async with world() as one:
        await one.post()
        (script,) = one.service.connections
        assert script.transport is not None
        script.transport.write(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")
        await eventually(lambda: one.service.lost == 1, "the connection is closed")
        assert await one.post() == Answer(201, None)


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example.org ESMTP\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 201 Created\r\nX-Long: " + b"x" * (2 * ANSWER_MAX_BYTES),
    ],
)
async def test_what_is_no_answer_is_said_to_be_none(answer: bytes) -> None:
    async with world() as one:
        one.service.answers = [answer]
        with pytest.raises(NotHttpError):
            await one.post()
        assert await one.post() == Answer(201, None)


async def test_a_connection_that_is_lost_before_the_answer_is_told() -> None:
    async with world() as one:
        one.service.answers = [CREATED, None]
        await one.post()
        with pytest.raises(ConnectionError):
            await one.post()
        assert await one.post() == Answer(201, None)


async def test_a_kept_connection_that_the_service_closed_is_not_taken() -> None:
    async with world() as one:
        await one.post()
        (script,) = one.service.connections
        assert script.transport is not None
        script.transport.close()
        await eventually(lambda: one.service.lost == 1, "it is closed")
        await eventually(lambda: not one.pool._all, "and we noticed")
        assert await one.post() == Answer(201, None)


async def test_who_is_cancelled_leaves_no_answer_for_the_next() -> None:
    async with world() as one:
        one.service.answers = [b"HTTP/1.1 410 Gone\r\n"]  # and no more
        first = asyncio.create_task(one.post())
        await eventually(lambda: len(one.service.requests) == 1, "it is sent")
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await one.post() == Answer(201, None)
        await eventually(lambda: one.service.lost == 1, "the first one is closed")


async def test_who_waits_too_long_is_told_and_gets_no_late_answer() -> None:
    async with world() as one:
        one.service.answers = [b"HTTP/1.1 103 Early Hints\r\n\r\n"]
        one.timeout_s = 0.05
        with pytest.raises(TimeoutError):
            await one.post()
        one.timeout_s = 10.0
        assert await one.post() == Answer(201, None)
        await eventually(lambda: one.service.lost == 1, "the first one is closed")


async def test_a_connection_that_nothing_is_sent_over_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http1, "KEEP_ALIVE_S", 0.05)
    async with world() as one:
        await asyncio.gather(one.post(), one.post())
        await eventually(lambda: one.service.lost == 2, "both are closed")
        assert await one.post() == Answer(201, None)


class Wire(asyncio.Transport):
    """The loop's end of a connection, without one."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    @override
    def abort(self) -> None:
        self.aborted = True


def said_by(pieces: list[bytes]) -> Answer | BaseException | None:
    """Return what comes of a request whose answer arrives in these pieces; None: it goes on waiting."""

    async def run() -> Answer | BaseException | None:
        connection = Connection(lambda _one: None)
        connection.connection_made(Wire())
        asked = asyncio.ensure_future(connection.send(b"", asyncio.get_running_loop().time() + 10))
        await asyncio.sleep(0)
        for piece in pieces:
            room = connection.get_buffer(len(piece))
            room[: len(piece)] = piece
            connection.buffer_updated(len(piece))
        done, waiting = await asyncio.wait({asked}, timeout=0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return next((task.exception() or task.result() for task in done), None)

    return asyncio.run(run())


@given(st.integers(0, len(LATER)), st.integers(0, len(LATER)))
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(first: int, second: int) -> None:
    one, two = sorted((first, second))
    assert said_by([LATER[:one], LATER[one:two], LATER[two:]]) == Answer(429, "7")


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=5))
def test_whatever_comes_is_an_answer_or_none_and_nothing_else_is_raised(
    pieces: list[bytes],
) -> None:
    found = said_by(pieces)
    assert found is None or isinstance(found, Answer | NotHttpError)
