"""HTTP/1.1 as the push sender needs it: POST over kept connections, and the answer's head.

A general client costs about as much for each push as its encryption does: it builds URLs, cookies, traces,
redirects and bodies that a push has none of. httptools reads the answers, aiohappyeyeballs connects.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple, cast

import httptools
from aiohappyeyeballs import start_connection
from typing_extensions import override

from cloud_relay.push.endpoints import Endpoint
from cloud_relay.push.resolver import PublicResolver

KEEP_ALIVE_S: Final = 60.0
"""How long a connection is kept that nothing is sent over."""
ANSWER_MAX_BYTES: Final = 64 * 1024
"""An answer's head and body; a push service's have some hundred bytes, and nothing else may fill us up."""
READ_BYTES: Final = 2 * 1024
"""What is read at a time: an answer, but for the longest."""
SECOND_FAMILY_AFTER_S: Final = 0.25
"""RFC 8305 section 5: how long the first address may take before the next is tried beside it."""
_RETRY_AFTER: Final = b"retry-after"
_OK: Final = 200


class NotHttpError(Exception):
    """What came back is no HTTP, or more of it than any push service sends."""


class Answer(NamedTuple):
    """A status, and the value of ``Retry-After`` if there was one."""

    status: int
    retry_after: str | None


class Connection(asyncio.BufferedProtocol):
    """One connection, which takes one request at a time.

    ``is_open``: the next request may be sent. ``on_lost`` hears when it is over.
    """

    __slots__ = (
        "_answer",
        "_buffer",
        "_is_over",
        "_on_lost",
        "_parser",
        "_received_bytes",
        "_retry_after",
        "_transport",
        "idle_since_s",
        "is_open",
    )

    def __init__(self, on_lost: Callable[[Connection], None]) -> None:
        self.is_open = self._is_over = False
        self.idle_since_s = 0.0
        self._on_lost = on_lost
        self._buffer = bytearray(READ_BYTES)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._retry_after: str | None = None
        self._received_bytes = 0

    async def send(self, request: bytes, until_s: float) -> Answer:
        """Send a whole request and wait for its answer until ``until_s`` of the loop's time.

        A cancelled one closes the connection.

        Raises:
            TimeoutError: there was no answer by then.
            ConnectionError: the connection was lost before the answer's head.
            NotHttpError: what came is no answer.

        """
        if self._transport is None or not self.is_open:
            raise ConnectionResetError("the connection is closed")
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        patience = loop.call_at(until_s, self._fail, TimeoutError("no answer"))
        self._retry_after, self._received_bytes = None, 0
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            patience.cancel()
            self._answer = None

    def close(self) -> None:
        """Close at once; twice is no error."""
        self.is_open, self._is_over = False, True
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's TLS transport is no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    @override
    def get_buffer(self, sizehint: int) -> bytearray:
        # Our own: for a `Protocol` the loop makes room for 256 KiB at each read of a TLS connection.
        return self._buffer

    @override
    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(memoryview(self._buffer)[:nbytes])
        self._received_bytes += nbytes
        if self._answer is None:
            self.close()  # nobody asked: what comes now would pass for the next answer
        elif self._received_bytes > ANSWER_MAX_BYTES:
            self._fail(NotHttpError(f"an answer of more than {ANSWER_MAX_BYTES} bytes"))
        else:
            try:
                self._parser.feed_data(data)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
                self._fail(NotHttpError(type(error).__name__))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open, self._is_over = False, True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the connection was lost"))
        self._on_lost(self)

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep what the sender reads."""
        if name.lower() == _RETRY_AFTER:
            self._retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Give the answer to who asked; an interim one (RFC 9110 section 15.2) is none."""
        status = self._parser.get_status_code()
        if status < _OK:
            self._retry_after = None
        elif self._answer is None or self._answer.done():
            self.close()
        else:
            # Nobody reads its body: if that is not here with the head, the connection is not used again.
            self.is_open = False
            self._answer.set_result(Answer(status, self._retry_after))

    def on_message_complete(self) -> None:
        """Let the next request be sent, unless the service closes the connection."""
        if self._answer is not None and self._answer.done() and not self._is_over:
            self.is_open = self._parser.should_keep_alive()

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.close()


class Connections:
    """Kept connections to push services. ``close`` them.

    How many there are at once is the queue's business: one for each push that is under way.
    """

    def __init__(self, resolver: PublicResolver, tls: ssl.SSLContext) -> None:
        self._resolver = resolver
        self._tls = tls
        self._idle: dict[str, list[Connection]] = {}
        self._all: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    async def post(self, endpoint: Endpoint, head: str, body: bytes, timeout_s: float) -> Answer:
        """POST ``body`` with the header lines ``head``, each with its end of line; return the answer.

        ``timeout_s`` is for everything: the name, the connection, the answer.

        No redirect is followed, no cookie kept, no proxy used. Safe to cancel.

        Raises:
            TimeoutError: it took longer.
            PrivateAddressError: the name leads to an address that is not public.
            NotHttpError: what came back is no answer.
            OSError: the name does not resolve, the certificate is not trusted, the connection was lost.

        """
        until_s = asyncio.get_running_loop().time() + timeout_s
        connection = self._take(endpoint.origin)
        if connection is None:
            async with asyncio.timeout_at(until_s):
                connection = await self._connect(endpoint)
        request = (
            f"POST {endpoint.target} HTTP/1.1\r\nHost: {endpoint.origin.partition('//')[2]}\r\n"
            f"Content-Length: {len(body)}\r\n{head}\r\n"
        )
        answer = await connection.send(request.encode("ascii") + body, until_s)
        if connection.is_open:
            self._keep(endpoint.origin, connection)
        else:
            connection.close()
        return answer

    async def close(self) -> None:
        """Close every connection."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in tuple(self._all):
            connection.close()
        await self._resolver.close()
        await asyncio.sleep(0)  # the loop's turn in which it lets go of them

    def _take(self, origin: str) -> Connection | None:
        kept = self._idle.get(origin)
        while kept:
            # The one used last is the least likely to have been closed meanwhile.
            connection = kept.pop()
            if connection.is_open:
                return connection
        return None

    def _keep(self, origin: str, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since_s = loop.time()
        self._idle.setdefault(origin, []).append(connection)
        if self._sweeping is None:
            self._sweeping = loop.call_later(KEEP_ALIVE_S, self._sweep)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        oldest_s = loop.time() - KEEP_ALIVE_S
        for origin, kept in tuple(self._idle.items()):
            for connection in kept:
                if connection.idle_since_s <= oldest_s:
                    connection.close()
            self._idle[origin] = [one for one in kept if one.is_open]
            if not self._idle[origin]:
                del self._idle[origin]
        again = bool(self._idle)
        self._sweeping = loop.call_later(KEEP_ALIVE_S, self._sweep) if again else None

    async def _connect(self, endpoint: Endpoint) -> Connection:
        """Connect to the very addresses that were judged: the name is not asked for again."""
        addresses = await self._resolver.resolve(endpoint.host, endpoint.port)
        sock = await start_connection(
            addresses, happy_eyeballs_delay=SECOND_FAMILY_AFTER_S, interleave=1
        )
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(self._all.discard),
                sock=sock,
                ssl=self._tls if endpoint.is_tls else None,
                server_hostname=endpoint.host if endpoint.is_tls else None,
            )
        except BaseException:
            sock.close()
            raise
        self._all.add(connection)
        return connection
