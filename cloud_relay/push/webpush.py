"""The Web Push sender: encrypt (RFC 8291), sign (RFC 8292), POST (RFC 8030), judge the answer.

One pool of connections with a timeout; no redirects, no cookies, no proxy (``http1.py``). A name is
resolved and judged at each connect (``resolver.py``), and connected to as it was judged.
"""

from __future__ import annotations

import logging
import socket
import ssl
from types import TracebackType
from typing import Final, Protocol, Self

from cloud_relay.push import message
from cloud_relay.push.endpoints import Endpoint, EndpointRefusedError, PushHosts, read_endpoint
from cloud_relay.push.http1 import Connections, NotHttpError
from cloud_relay.push.keys import VapidKeys
from cloud_relay.push.outcomes import Result, of_status, result_of
from cloud_relay.push.resolver import PrivateAddressError, PublicResolver, Resolver
from cloud_relay.push.sealing import Sealer
from cloud_relay.push.subscriptions import Subscription
from cloud_relay.push.vapid import Vapid
from laundryd.daemon.clock import Clock
from laundryd.wire.notices import NoticeCard

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 10.0
"""For one whole attempt: push services answer within one second, or are in trouble."""


class Sender(Protocol):
    """Sends one notice to one subscription."""

    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        """Try once. Never raises for what a service or a network does."""
        ...


async def attempt(sender: Sender, card: NoticeCard, subscription: Subscription) -> Result:
    """Try once, and raise for nothing: a fault of our own code with one message is the answer to that one."""
    try:
        return await sender.send(card, subscription)
    except Exception as error:  # noqa: BLE001 -- it must not end everybody's queue, nor the other devices' test
        # The kind only: its text might hold the endpoint.
        kind = type(error).__name__
        log.error("push to subscription %s failed in our own code: %s", subscription.id, kind)  # noqa: TRY400 -- the same
        return result_of("internal")


class WebPushSender:
    """Sends through one pool of connections; use it as an asynchronous context manager.

    ``tls``: whom to trust; None: whom this computer trusts. ``resolver``: who knows names; None: the system.
    """

    def __init__(
        self,
        vapid: Vapid | VapidKeys,
        clock: Clock,
        *,
        public_url: str,
        hosts: PushHosts | None = None,
        timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        self._keys = vapid if isinstance(vapid, VapidKeys) else VapidKeys(vapid)
        self._clock = clock
        self._public_url = public_url
        self._hosts = hosts if hosts is not None else PushHosts()
        self._timeout_s = timeout_s
        self._tls = tls
        self._resolver = resolver
        self._sealer = Sealer()
        self._http: Connections | None = None

    async def __aenter__(self) -> Self:
        """Open the pool."""
        self._http = Connections(
            PublicResolver(self._hosts, self._resolver),
            self._tls if self._tls is not None else ssl.create_default_context(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the pool."""
        if self._http is not None:
            await self._http.close()
            self._http = None
        self._sealer.close()

    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        """Try once to send ``card``; the result says what came of it.

        Safe to cancel; the service may have taken the message then.

        Raises:
            RuntimeError: the sender was not opened.

        """
        if self._http is None:
            raise RuntimeError("the push sender is not open: use it with `async with`")
        now = self._clock.now()
        if now >= card.useful_until:
            return result_of("not_useful")
        try:
            endpoint = read_endpoint(subscription.endpoint, self._hosts)
            clear = message.payload(card, subscription.lang, public_url=self._public_url)
            body = await self._sealer.seal(clear, subscription)
        except EndpointRefusedError as error:
            log.warning("push to subscription %s is refused: %s", subscription.id, error)
            return result_of("endpoint_refused")
        except ValueError as error:
            log.warning("push to subscription %s is refused: %s", subscription.id, error)
            return result_of("unusable_keys")
        vapid = self._keys.of(subscription.vapid_key)
        signed = vapid.authorization(endpoint.origin, self._clock.real_now())
        head = message.head(card, now, speed=self._clock.speed)
        return await self._post(self._http, endpoint, f"{head}Authorization: {signed}\r\n", body)

    async def _post(self, http: Connections, endpoint: Endpoint, head: str, body: bytes) -> Result:
        # No error is logged as it stands: it would name where we connected to.
        try:
            status, retry_after = await http.post(endpoint, head, body, self._timeout_s)
        except (NotHttpError, OSError, ValueError) as error:
            return of_error(error)
        if retry_after is None:
            return result_of(f"http_{status}")
        return of_status(status, retry_after, self._clock.real_now())


def of_error(error: Exception) -> Result:
    """Judge an attempt that got no answer; the detail is its kind and names no address."""
    return result_of(next(detail for kind, detail in _NETWORK.items() if isinstance(error, kind)))


_NETWORK: Final[dict[type[Exception], str]] = {
    PrivateAddressError: "private_address",
    NotHttpError: "not_http",
    socket.gaierror: "dns",
    ssl.SSLError: "tls",
    TimeoutError: "timeout",
    OSError: "connection",
    ValueError: "endpoint_refused",  # no name of the internet's: it will not become one by waiting
}
"""Errors of the network and of the service, most special first."""
