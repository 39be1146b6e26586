"""The Web Push sender: encrypt (RFC 8291), sign (RFC 8292), POST (RFC 8030), judge the answer.

One pooled client with a timeout; no redirects, no cookies, no proxy from the environment. A name is resolved
and judged at each connect (``resolver.py``), and connected to as it was judged.
"""

from __future__ import annotations

import logging
import ssl
from types import TracebackType
from typing import Final, Protocol, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from cloud_relay.push import message
from cloud_relay.push.endpoints import EndpointRefusedError, PushHosts, check_endpoint
from cloud_relay.push.keys import VapidKeys
from cloud_relay.push.outcomes import Result, of_status, result_of
from cloud_relay.push.resolver import PrivateAddressError, PublicResolver
from cloud_relay.push.sealing import Sealer
from cloud_relay.push.subscriptions import Subscription
from cloud_relay.push.vapid import Vapid
from laundryd.daemon.clock import Clock
from laundryd.wire.notices import NoticeCard

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 10.0
"""For one whole attempt: push services answer within one second, or are in trouble."""
KEEP_ALIVE_S: Final = 60.0


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
    """Sends through one pooled client; use it as an asynchronous context manager.

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
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._keys = vapid if isinstance(vapid, VapidKeys) else VapidKeys(vapid)
        self._clock = clock
        self._public_url = public_url
        self._hosts = hosts if hosts is not None else PushHosts()
        self._timeout_s = timeout_s
        self._tls = tls
        self._resolver = resolver
        self._sealer = Sealer()
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the pool."""
        # How many there are at once is the queue's business.
        connector = aiohttp.TCPConnector(
            resolver=PublicResolver(self._hosts, self._resolver),
            limit=0,
            limit_per_host=0,
            keepalive_timeout=KEEP_ALIVE_S,
            ssl=self._tls if self._tls is not None else True,
        )
        self._http = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "laundryd"},
            trust_env=False,
            skip_auto_headers=("Accept", "Accept-Encoding"),
            auto_decompress=False,
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
        await self._sealer.close()

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
            origin = check_endpoint(subscription.endpoint, self._hosts)
            clear = message.payload(card, subscription.lang, public_url=self._public_url)
            body = await self._sealer.seal(clear, subscription)
        except EndpointRefusedError as error:
            log.warning("push to subscription %s is refused: %s", subscription.id, error)
            return result_of("endpoint_refused")
        except ValueError as error:
            log.warning("push to subscription %s is refused: %s", subscription.id, error)
            return result_of("unusable_keys")
        headers = message.headers(card, now, speed=self._clock.speed)
        vapid = self._keys.of(subscription.vapid_key)
        headers["Authorization"] = vapid.authorization(origin, self._clock.real_now())
        return await self._post(self._http, subscription, body, headers)

    async def _post(
        self,
        http: aiohttp.ClientSession,
        subscription: Subscription,
        body: bytes,
        headers: dict[str, str],
    ) -> Result:
        # No error of the client is logged as it stands: it would name the endpoint.
        try:
            async with http.post(
                URL(subscription.endpoint, encoded=True),
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                now = self._clock.real_now()
                return of_status(answer.status, answer.headers.get("Retry-After"), now)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return of_error(error)


def of_error(error: Exception) -> Result:
    """Judge an attempt that got no answer; the detail is its kind and names no address."""
    if isinstance(error, PrivateAddressError) or isinstance(error.__cause__, PrivateAddressError):
        return result_of("private_address")
    for kind, detail in _NETWORK.items():
        if isinstance(error, kind):
            return result_of(detail)
    # InvalidURL and its like: it will not become one by waiting.
    return result_of("endpoint_refused")


_NETWORK: Final[dict[type[Exception], str]] = {
    aiohttp.ClientConnectorDNSError: "dns",
    aiohttp.ClientSSLError: "tls",
    TimeoutError: "timeout",
    aiohttp.ClientConnectionError: "connection",
    aiohttp.ClientPayloadError: "connection",
    aiohttp.ClientResponseError: "not_http",
    OSError: "connection",
}
"""Errors of the network and of the service, most special first."""
