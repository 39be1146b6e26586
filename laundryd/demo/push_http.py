"""The application server's side of the push service: POST in, answer out, and a record of both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from aiohttp import web

from laundryd.demo.push_mailbox import StoredMessage
from laundryd.demo.push_request import PushMessage, PushRefusedError, read_push
from laundryd.demo.push_subscriptions import PushSubscriptions
from laundryd.demo.vapid_check import VapidFault, VapidRefusedError, check_vapid

ENDPOINT_PATH = "/wpush/v2/"

REQUEST_MAX_BYTES = 64 * 1024
"""How much of a body is read, in bytes: more than is allowed, so that the answer can say how much."""


@dataclass(frozen=True, slots=True)
class InjectedAnswer:
    """An answer that a test orders in place of the real one.

    Args:
        status: the answer's status.
        headers: added to the answer, ``{"Retry-After": "2"}``.
        delivered: the message is accepted all the same, as when an answer is lost on its way.
        hangs: nothing is answered until ``PushService.release`` or ``stop``.
        drops: the connection is lost before a word of the answer.

    """

    status: int = HTTPStatus.SERVICE_UNAVAILABLE
    headers: Mapping[str, str] = field(default_factory=dict)
    delivered: bool = False
    hangs: bool = False
    drops: bool = False


@dataclass(frozen=True, slots=True)
class PushPost:
    """One POST and what became of it.

    ``received_at_s`` in seconds since 1970; ``status`` is what was answered, ``reason`` why not 201.
    ``message`` is what was accepted, None if nothing was; ``vapid_fault`` None unless that was it.
    """

    endpoint: str
    headers: Mapping[str, str]
    body: bytes
    received_at_s: float
    status: int = HTTPStatus.CREATED
    reason: str = ""
    message: PushMessage | None = None
    vapid_fault: VapidFault | None = None
    injected: bool = False


class PushHttp:
    """Answers application servers (RFC 8030).

    Args:
        subscriptions: whom an endpoint's token leads to.
        origin: the service's origin; asked at each POST, as the port is known late.
        now_s: seconds since 1970.
        on_change: called after each POST.

    """

    def __init__(
        self,
        *,
        subscriptions: PushSubscriptions,
        origin: Callable[[], str],
        now_s: Callable[[], float],
        on_change: Callable[[], None],
    ) -> None:
        self.posts: list[PushPost] = []
        self.ordered: list[InjectedAnswer] = []
        self.standing: InjectedAnswer | None = None
        self._subscriptions = subscriptions
        self._origin = origin
        self._now_s = now_s
        self._on_change = on_change
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let every answer go that hangs now."""
        self._released.set()
        self._released = asyncio.Event()

    async def post(self, request: web.Request) -> web.Response:
        """Answer one POST: 201, 400, 401, 404, 410, 413, 429, or what was ordered."""
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            body = bytes(REQUEST_MAX_BYTES)  # refused for its size; what it says no longer matters
        ordered = self.ordered.pop(0) if self.ordered else self.standing
        token = request.match_info["token"]
        if ordered is None:
            post, answer = self._judge(token, request.headers, body)
        else:
            post, answer = self._obey(ordered, token, request.headers, body)
        self.posts.append(post)
        self._on_change()
        if ordered is not None and ordered.hangs:
            await self._released.wait()
        if ordered is not None and ordered.drops and request.transport is not None:
            request.transport.abort()
        return answer

    def _judge(
        self, token: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[PushPost, web.Response]:
        now_s = self._now_s()
        post = PushPost(self._origin() + ENDPOINT_PATH + token, headers, body, now_s)
        try:
            subscription = self._subscriptions.find(token)
            check_vapid(
                headers.get("Authorization"),
                origin=self._origin(),
                subscription_key=subscription.application_server_key,
                now_s=now_s,
            )
            message = read_push(headers, body)
            stored = StoredMessage(subscription.channel_id, message, now_s)
            subscription.user_agent.mailbox.put(stored, now_s=now_s)
        except VapidRefusedError as error:
            # Mozilla's service answers 401 to every fault; RFC 8292 section 4.2 also allows 403.
            status = HTTPStatus.UNAUTHORIZED
            refused = replace(post, status=status, reason=str(error), vapid_fault=error.fault)
            return refused, _refusal(status, str(error), {"WWW-Authenticate": "vapid"})
        except PushRefusedError as error:
            wait_s = error.retry_after_s
            retry_after = {} if wait_s is None else {"Retry-After": str(wait_s)}
            refused = replace(post, status=error.status, reason=str(error))
            return refused, _refusal(error.status, str(error), retry_after)
        location = {"Location": f"{self._origin()}/m/{stored.version}", "TTL": str(message.ttl_s)}
        return replace(post, message=message), web.Response(
            status=HTTPStatus.CREATED, headers=location
        )

    def _obey(
        self, ordered: InjectedAnswer, token: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[PushPost, web.Response]:
        message = None
        if ordered.delivered:
            message = self._judge(token, headers, body)[0].message
        endpoint = self._origin() + ENDPOINT_PATH + token
        post = PushPost(
            endpoint,
            headers,
            body,
            self._now_s(),
            status=ordered.status,
            reason="ordered by the test",
            message=message,
            injected=True,
        )
        return post, web.Response(status=ordered.status, headers=dict(ordered.headers))


def _refusal(status: HTTPStatus, reason: str, headers: Mapping[str, str]) -> web.Response:
    body = {"code": int(status), "error": status.phrase, "message": reason}
    return web.json_response(body, status=status, headers=dict(headers))
