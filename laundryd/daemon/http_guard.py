"""The guard before every HTTP request: whose name, whose page, what kind of body, how large.

The Host check ends DNS rebinding; the Origin check ends cross-site requests; the JSON rule ends
requests that a foreign form could make without asking first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from laundryd.daemon.problems import ProblemError, problem_response
from laundryd.wire.errors import ErrorCode
from laundryd.wire.origins import is_our_page, knows_host, shown_by_hand

MAX_BODY_BYTES: Final = 16_384
"""Largest body: a push subscription is under 3 KiB, everything else under 1 KiB."""
_LENGTH_DIGITS: Final = 12
"""More digits in a Content-Length are not even read as a number."""
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the request's headers, names in lower case; of a repeated one the last."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


def content_policy(connects: Iterable[str] = ()) -> str:
    """Return the Content-Security-Policy of our pages; ``connects``: origins that they may ask, too."""
    asked = " ".join(("'self'", "ws:", "wss:", *connects))
    return (
        f"default-src 'self'; connect-src {asked}; "
        "img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "form-action 'self'"
    )


class HttpGuard:
    """ASGI middleware. ``hosts`` are allowed Host headers (``name`` or ``name:port``), lower case.

    ``origins`` are further allowed Origins; one whose host is in ``hosts`` is always ours. ``*`` in
    ``hosts`` allows any name: for a room's page behind a reverse proxy that checks by itself.
    ``connects``: foreign origins that our pages may send requests to.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str],
        origins: Iterable[str] = (),
        *,
        connects: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origins)
        policy = (b"content-security-policy", content_policy(connects).encode())
        self._headers = (policy, *_SECURITY_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it with the problem that was found."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope["method"], headers_of(scope))
        except ProblemError as error:
            await problem_response(error)(scope, receive, self._secured(send))
            return
        await self._app(scope, _limited(receive), self._secured(send))

    def _check(self, method: str, headers: Mapping[str, str]) -> None:
        host = headers.get("host")
        if host is None or not knows_host(host, self._hosts):
            raise ProblemError(ErrorCode.FOREIGN_HOST)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > _LENGTH_DIGITS or int(length) > MAX_BODY_BYTES:
            raise ProblemError(ErrorCode.TOO_LARGE, f"The limit is {MAX_BODY_BYTES} bytes.")
        if method not in _CHANGING:
            return
        origin = headers.get("origin")
        if origin is None:
            # Browsers always send Origin with these methods; a program shows its token by hand.
            if shown_by_hand(headers) is None:
                raise ProblemError(ErrorCode.FOREIGN_ORIGIN, "No Origin and no bearer token.")
        elif not is_our_page(origin, host, self._origins):
            raise ProblemError(ErrorCode.FOREIGN_ORIGIN)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        has_body = length != "0" or "transfer-encoding" in headers
        if has_body and kind != "application/json":
            raise ProblemError(ErrorCode.NOT_JSON)

    def _secured(self, send: Send) -> Send:
        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", ())}
                extra = [row for row in self._headers if row[0] not in present]
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        return send_secured


def _limited(receive: Receive) -> Receive:
    """Count the body as it comes: Content-Length may be missing."""
    taken = 0

    async def receive_counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY_BYTES:
            raise ProblemError(ErrorCode.TOO_LARGE, f"The limit is {MAX_BODY_BYTES} bytes.")
        return message

    return receive_counted
