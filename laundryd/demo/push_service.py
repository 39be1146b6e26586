"""A push service on this computer: it stands in for the browsers' makers' services, without internet.

Application servers push to it over HTTP (RFC 8030, 8291, 8292), a real Firefox subscribes over
Mozilla's WebSocket protocol, and phones without a browser decrypt in this process. It answers as
Mozilla's service does, but refuses more strictly, so that what passes here passes there.

By hand: ``python -m laundryd.demo.push_service --application-server-key KEY`` prints a phone's
subscription, and then each message that it decrypts. ``--tls DIR`` serves https, ``--answer 429
--retry-after 5`` (or 410, 500, hang, drop, 307 with ``--location``) answers every push so.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from laundryd.demo.autopush import SUBPROTOCOL, Acknowledgement, BrowserConnection
from laundryd.demo.certificate import LocalCertificate
from laundryd.demo.push_client import Phone, UndecryptableError
from laundryd.demo.push_http import (
    ENDPOINT_PATH,
    REQUEST_MAX_BYTES,
    InjectedAnswer,
    PushHttp,
    PushPost,
)
from laundryd.demo.push_subscriptions import PushSubscriptions
from laundryd.demo.vapid_check import base64url_decode

LOOPBACK = "127.0.0.1"

STOP_GRACE_S = 1.0
"""How long a stop waits for open requests, in seconds; answers that hang are let go before."""


class PushService:
    """The push service; ``start`` it, or use it as an asynchronous context manager.

    Args:
        now_s: real time in seconds since 1970, for TTL and VAPID; a test may bring its own.
        tls: what to serve https with, None: plain http, which is enough on one computer.

    Attributes:
        acknowledgements: what browsers said of their messages, in order.

    """

    def __init__(
        self, *, now_s: Callable[[], float] = time.time, tls: ssl.SSLContext | None = None
    ) -> None:
        self.acknowledgements: list[Acknowledgement] = []
        self._subscriptions = PushSubscriptions()
        self._now_s = now_s
        self._tls = tls
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self._browsers: set[BrowserConnection] = set()
        self._changed = asyncio.Event()
        self._http = PushHttp(
            subscriptions=self._subscriptions,
            origin=lambda: self.origin,
            now_s=now_s,
            on_change=self._notify,
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def origin(self) -> str:
        """The origin of every endpoint, and the ``aud`` that VAPID tokens need."""
        return f"{'http' if self._tls is None else 'https'}://{LOOPBACK}:{self._port}"

    @property
    def websocket_url(self) -> str:
        """What Firefox needs as ``dom.push.serverURL``."""
        return f"{'ws' if self._tls is None else 'wss'}://{LOOPBACK}:{self._port}/"

    @property
    def posts(self) -> list[PushPost]:
        """Every POST so far, in order, whatever was answered."""
        return self._http.posts

    @property
    def browsers_online(self) -> int:
        """How many browsers have said hello and are connected now."""
        return sum(browser.user_agent is not None for browser in self._browsers)

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; 0 takes a free port, or after a ``stop`` the former one.

        What is subscribed and undelivered outlives a stop: the endpoints stay good.

        Raises:
            OSError: the port is taken.

        """
        app = web.Application(client_max_size=REQUEST_MAX_BYTES)
        app.router.add_get("/", self._browser)
        app.router.add_post(ENDPOINT_PATH + "{token}", self._http.post)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_GRACE_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, port or self._port, ssl_context=self._tls)
        await site.start()
        self._port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close every connection and the port; twice is no error."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        self._http.release()
        for socket in tuple(self._sockets):
            await socket.close()
        await runner.cleanup()

    def new_phone(self, application_server_key: bytes | str) -> Phone:
        """Make a phone, switched on, with one subscription; ``start`` the service before.

        Args:
            application_server_key: the sender's public VAPID key: an uncompressed P-256 point of
                65 bytes, or the same in base64url.

        """
        key = application_server_key
        user_agent = self._subscriptions.user_agent(None)
        subscription = self._subscriptions.subscribe(
            user_agent, "phone", base64url_decode(key) if isinstance(key, str) else key
        )
        endpoint = self._endpoint_of(subscription.token)
        phone = Phone(endpoint=endpoint, mailbox=user_agent.mailbox, now_s=self._now_s)
        phone.switch_on()
        return phone

    def is_subscribed(self, endpoint: str) -> bool:
        """Tell whether an endpoint is good: a browser unsubscribes here some time after its page."""
        return endpoint.removeprefix(self._endpoint_of("")) in self._subscriptions

    def expire(self, endpoint: str) -> None:
        """Forget a subscription, as services do with old ones: its endpoint answers 410 from now on.

        Raises:
            KeyError: no such endpoint.

        """
        self._subscriptions.expire(endpoint.removeprefix(self._endpoint_of("")))

    def forget_browsers(self) -> None:
        """Lose every subscription; a browser learns it at its next hello and must subscribe again."""
        self._subscriptions.forget_user_agents()

    def answer_next(self, *answers: InjectedAnswer) -> None:
        """Order answers for the next POSTs, one each."""
        self._http.ordered.extend(answers)

    def answer_always(self, answer: InjectedAnswer | None) -> None:
        """Order one answer for every POST until None ends it; those of ``answer_next`` go first."""
        self._http.standing = answer

    def release(self) -> None:
        """Let every answer go that hangs now."""
        self._http.release()

    async def until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait until ``condition`` holds, asking again whenever something happened here.

        Raises:
            TimeoutError: it did not hold within ``timeout_s``; the text says ``what`` was awaited.

        """
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"{what}: not within {timeout_s} s at the push service") from None

    def _endpoint_of(self, token: str) -> str:
        return f"{self.origin}{ENDPOINT_PATH}{token}"

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _browser(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=(SUBPROTOCOL,))
        await socket.prepare(request)
        browser = BrowserConnection(
            subscriptions=self._subscriptions,
            endpoint_of=self._endpoint_of,
            now_s=self._now_s,
            on_change=self._notify,
            acknowledgements=self.acknowledgements,
        )
        self._sockets.add(socket)
        self._browsers.add(browser)
        try:
            await browser.serve(socket)
        finally:
            self._sockets.discard(socket)
            self._browsers.discard(browser)
            self._notify()
        return socket


BY_HAND = {"hang": InjectedAnswer(hangs=True), "drop": InjectedAnswer(drops=True)}
"""What else than a status may be answered by hand, by its word."""


def _ordered(arguments: argparse.Namespace) -> InjectedAnswer | None:
    if arguments.answer is None:
        return None
    if arguments.answer in BY_HAND:
        return BY_HAND[arguments.answer]
    headers = {}
    if arguments.retry_after is not None:
        headers["Retry-After"] = arguments.retry_after
    if arguments.location is not None:
        headers["Location"] = arguments.location
    return InjectedAnswer(int(arguments.answer), headers)


async def _run_by_hand(arguments: argparse.Namespace) -> None:
    tls = None
    if arguments.tls is not None:
        made = LocalCertificate.make(arguments.tls)
        tls = made.for_server()
        print(f"trust {made.certificate}", file=sys.stderr, flush=True)  # noqa: T201 - what it was started for
    service = PushService(tls=tls)
    await service.start(arguments.port)
    service.answer_always(_ordered(arguments))
    try:
        phone = service.new_phone(arguments.application_server_key)
        print(json.dumps(phone.subscription()), flush=True)  # noqa: T201 - what it was started for
        while True:
            try:
                push = await phone.next(timeout_s=3600)
            except (TimeoutError, UndecryptableError) as error:
                print(error, file=sys.stderr, flush=True)  # noqa: T201 - the same
                continue
            print(dataclasses.asdict(push), flush=True)  # noqa: T201 - the same
    finally:
        await service.stop()


def main() -> None:
    """Run the service with one phone until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A local push service with one phone.")
    parser.add_argument("--port", type=int, default=0, help="TCP port on loopback; 0: a free one")
    parser.add_argument("--application-server-key", required=True, help="public VAPID key")
    parser.add_argument(
        "--tls", type=Path, metavar="DIR", help="serve https; the certificate is made there"
    )
    parser.add_argument(
        "--answer", metavar="STATUS", help="answer every push so: a status, or hang, or drop"
    )
    parser.add_argument("--retry-after", metavar="S", help="with --answer: the header Retry-After")
    parser.add_argument("--location", metavar="URL", help="with --answer 307: where it leads")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run_by_hand(arguments))


if __name__ == "__main__":
    main()
