"""The first bytes of a connection decide: a WebSocket is ours, everything else is uvicorn's."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any, Final, cast

from typing_extensions import override
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import is_ssl
from uvicorn.server import ServerState

from laundryd.daemon import upgrade
from laundryd.daemon.live_socket import FRAMES_EXTENSION, LiveSocket

_GET: Final = b"GET "
HEAD_S: Final = 10.0
"""Real seconds from a connection to its whole first head: limits count nobody before, so nobody may stay."""


class Doorstep(asyncio.Protocol):
    """uvicorn's ``http`` protocol class: waits for a request's head and hands the connection on.

    A head that is no GET, or grows past ``HEAD_MAX_BYTES``, goes to uvicorn's HTTP as it came.
    """

    __slots__ = ("_app_state", "_config", "_head", "_state", "_timer", "_transport")

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],  # Any: uvicorn's own type
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._config = config
        self._state = server_state
        self._app_state = app_state
        self._head = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by their methods, not by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        self._state.connections.add(self)  # type: ignore[arg-type]  # uvicorn names its own classes only
        self._timer = asyncio.get_running_loop().call_later(HEAD_S, self._transport.abort)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()

    def shutdown(self) -> None:
        """End because the server stops; uvicorn calls it."""
        if self._transport is not None:
            self._transport.close()

    @override
    def data_received(self, data: bytes) -> None:
        head = self._head = self._head + data if self._head else data
        if not head.startswith(_GET[: len(head)]):
            self._hand_to_http()
            return
        ends = head.find(upgrade.HEAD_END)
        if ends < 0 and len(head) <= upgrade.HEAD_MAX_BYTES:
            return
        ends += len(upgrade.HEAD_END)
        request = None if ends > upgrade.HEAD_MAX_BYTES else upgrade.read_request(head[:ends])
        if request is None or not upgrade.is_upgrade(request):
            self._hand_to_http()
        else:
            self._open(request, head[ends:])

    def _open(self, request: upgrade.Request, rest: bytes) -> None:
        transport = self._leave()
        key = upgrade.accept_key(request)
        if not upgrade.is_our_version(request):
            transport.write(upgrade.refusal(426, [(b"Sec-WebSocket-Version", b"13")]))
            transport.close()
        elif key is None:
            transport.write(upgrade.refusal(400))
            transport.close()
        else:
            socket = LiveSocket(transport, self._state, key, rest)
            self._give_way(transport, socket)
            socket.start(self._config.loaded_app, self._scope(transport, request, socket))

    def _give_way(self, transport: asyncio.Transport, socket: LiveSocket) -> None:
        transport.set_protocol(socket)

    def _scope(
        self, transport: asyncio.Transport, request: upgrade.Request, socket: LiveSocket
    ) -> MutableMapping[str, Any]:
        """Write the ASGI scope of a WebSocket."""
        offered = (
            word
            for value in request.values(b"sec-websocket-protocol")
            for word in value.split(b",")
        )
        return {
            "type": "websocket",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if is_ssl(transport) else "ws",
            "server": _address(transport, "sockname"),
            "client": _address(transport, "peername"),
            "root_path": "",
            "path": request.path,
            "raw_path": request.raw_path,
            "query_string": request.query,
            "headers": request.headers,
            "subprotocols": [word.strip().decode("latin-1") for word in offered],
            "state": self._app_state.copy(),
            "extensions": {"websocket.http.response": {}, FRAMES_EXTENSION: socket},
        }

    def _hand_to_http(self) -> None:
        transport = self._leave()
        http = H11Protocol(self._config, self._state, self._app_state)
        transport.set_protocol(http)
        http.connection_made(transport)
        head, self._head = self._head, b""
        http.data_received(head)

    def _leave(self) -> asyncio.Transport:
        self._state.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is None:
            raise RuntimeError("a connection without a transport")
        return self._transport


class LateUpgrade(Doorstep):
    """uvicorn's ``ws`` protocol class: an upgrade on a connection that served HTTP before.

    A reverse proxy that keeps connections does that. uvicorn makes this the transport's protocol after
    it has given the request's head; what still comes here is passed on.
    """

    __slots__ = ("_socket",)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket: LiveSocket | None = None
        super().connection_made(transport)

    @override
    def data_received(self, data: bytes) -> None:
        if self._socket is None:
            super().data_received(data)
        else:
            self._socket.data_received(data)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._socket is not None:
            self._socket.connection_lost(exc)
        super().connection_lost(exc)

    @override
    def _give_way(self, transport: asyncio.Transport, socket: LiveSocket) -> None:
        self._socket = socket
        asyncio.get_running_loop().call_soon(transport.set_protocol, socket)


def _address(transport: asyncio.Transport, which: str) -> tuple[str, int] | None:
    found = transport.get_extra_info(which)
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) else None
