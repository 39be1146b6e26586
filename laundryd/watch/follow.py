"""Following a room until it is ended: the Python client, and what it tells on standard output."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime

from laundryd.live.client import LiveClient
from laundryd.live.driver import Told
from laundryd.live.errors import LiveError, LiveRefusedError
from laundryd.live.web import Web
from laundryd.watch.lines import json_line, line
from laundryd.wire.ids import RoomKey


async def follow(
    web: Web, room: RoomKey, *, as_json: bool, write: Callable[[str], None]
) -> LiveError | None:
    """Write what happens in ``room`` until the server ends it for good; return why.

    A terminal is no page that is looked at: it shows notices, but acknowledges none, so that a phone is
    told as well.
    """
    over: asyncio.Future[LiveError | None] = asyncio.get_running_loop().create_future()

    def hear(told: Told) -> None:
        if over.done():
            return
        if isinstance(told, LiveRefusedError):
            over.set_result(told)
            return
        now = datetime.now(UTC)
        text = json_line(told, now) if as_json else line(told, now, None)
        if text is None:
            return
        try:
            write(text)
        except OSError as error:  # whoever read us has gone
            over.set_exception(error)

    client = LiveClient(
        web.live_url, web.token or "", rooms=[room], visible=False, web=web, listener=hear
    )
    async with client:
        ended = asyncio.create_task(client.ended())
        try:
            await asyncio.wait([ended, over], return_when=asyncio.FIRST_COMPLETED)
            return over.result() if over.done() else ended.result()
        finally:
            ended.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ended
