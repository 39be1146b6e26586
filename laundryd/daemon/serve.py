"""Run an ASGI application on uvicorn inside our own task, with our own signals and life cycle."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final, cast

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from laundryd.daemon.doorstep import Doorstep, LateUpgrade

GOODBYE_S: Final = 3
"""How long a stopping server waits for requests under way, seconds; systemd waits much longer."""
BACKLOG: Final = 2048
"""Connections the kernel may hold for us: all residents coming back at once after a restart."""


def listen(host: str, port: int) -> socket.socket:
    """Bind a listening socket; port 0 lets the system choose.

    Raises:
        OSError: the address is taken or not ours; the message names it.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(
            error.errno, f"cannot listen on {host} port {port}: {error.strerror}"
        ) from error
    listener.setblocking(False)
    return listener


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    on_started: Callable[[], None] = lambda: None,
    certfile: Path | None = None,
    keyfile: Path | None = None,
) -> None:
    """Serve ``app`` on ``listener`` until cancelled; then close within ``GOODBYE_S``.

    WebSockets are served by ``LiveSocket``, without deflate: it costs memory and time a connection and our
    frames are small. Nor are there pings of the protocol's own: the live protocol has its own, which a
    page can see.
    """
    config = uvicorn.Config(
        cast("Callable[..., object]", app),
        http=Doorstep,
        ws=LateUpgrade,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=GOODBYE_S,
        ssl_certfile=certfile,
        ssl_keyfile=str(keyfile) if keyfile else None,
    )
    server = _Server(config, on_started)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        await asyncio.shield(task)
    finally:
        server.should_exit = True
        await task
        listener.close()


class _Server(uvicorn.Server):
    """Without uvicorn's signal handlers: the program decides when it stops, in its own order."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
