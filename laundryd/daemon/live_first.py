"""Dispatch before the HTTP framework: the live protocol's path goes to its own application."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

LIVE_PATH: Final = "/api/v1/live"


class LiveFirst:
    """ASGI: WebSockets go to ``live``, whatever their path says is judged there; HTTP to ``http``.

    A framework's ``Mount`` would miss a path without its trailing slash and cost every frame.
    """

    def __init__(self, live: ASGIApp, http: ASGIApp) -> None:
        self._live, self._http = live, http

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "websocket" and scope["path"] != LIVE_PATH:
            await receive()
            await send({"type": "websocket.close"})  # before the accept: HTTP 403
        elif scope["type"] == "websocket" or scope["path"] == LIVE_PATH:
            await self._live(scope, receive, send)
        else:
            await self._http(scope, receive, send)
