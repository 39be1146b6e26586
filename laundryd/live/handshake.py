"""The handshake before the upgrade: whose name, whose page, and the answer when it is refused."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from laundryd.live.asgi import Send
from laundryd.live.door import Refusal
from laundryd.live.settings import LiveSettings
from laundryd.wire.bodies import Problem
from laundryd.wire.errors import ERRORS, ErrorCode
from laundryd.wire.origins import is_our_page, knows_host, shown_by_hand

TYPE_BASE: Final = "urn:laundryd:error:"
"""As on HTTP: a problem's type is this and its code."""
_UNAUTHENTICATED: Final = 401


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers with names in lower case; repeated ones are joined, RFC 9110 section 5.3.

    Cookies join with a semicolon. A doubled Host or Origin becomes a name that nobody has.
    """
    found: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1").lower(), value_bytes.decode("latin-1")
        joint = "; " if name == "cookie" else ", "
        found[name] = f"{found[name]}{joint}{value}" if name in found else value
    return found


def judge(headers: Mapping[str, str], settings: LiveSettings) -> Refusal | None:
    """Refuse a foreign Host (DNS rebinding) and a foreign page (cross-site WebSocket hijacking).

    No Origin means no browser; then a cookie proves nothing and a bearer token must be shown by hand.
    """
    host = headers.get("host", "")
    if not knows_host(host, settings.allowed_hosts):
        return Refusal(ErrorCode.FOREIGN_HOST)
    origin = headers.get("origin")
    if origin is None:
        if shown_by_hand(headers) is not None:
            return None
        return Refusal(ErrorCode.FOREIGN_ORIGIN, "No Origin and no bearer token.")
    if is_our_page(origin, host, settings.allowed_origins):
        return None
    return Refusal(ErrorCode.FOREIGN_ORIGIN)


async def refuse(send: Send, refusal: Refusal, *, retry_after_s: float | None = None) -> None:
    """Answer the handshake with a problem document instead of the upgrade.

    ASGI extension ``websocket.http.response``. A browser's page cannot read it; every other client can.
    """
    row = ERRORS[refusal.code]
    body = Problem(
        type=f"{TYPE_BASE}{refusal.code}",
        title=row.title,
        status=row.status,
        code=refusal.code,
        detail=f"{refusal.detail} {row.remedy}".strip(),
    )
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
    ]
    if retry_after_s is not None:
        headers.append((b"retry-after", str(math.ceil(retry_after_s)).encode()))
    if row.status == _UNAUTHENTICATED:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "websocket.http.response.start", "status": row.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body.model_dump_json().encode()})


async def refuse_http(send: Send) -> None:
    """Answer a plain HTTP request at the live address: there is no page here."""
    row = ERRORS[ErrorCode.NOT_FOUND]
    body = Problem(
        type=f"{TYPE_BASE}{ErrorCode.NOT_FOUND}",
        title=row.title,
        status=row.status,
        code=ErrorCode.NOT_FOUND,
        detail=f"This address speaks WebSocket only. {row.remedy}",
    )
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": row.status, "headers": headers})
    await send({"type": "http.response.body", "body": body.model_dump_json().encode()})
