"""Sessions of the room's page over a restart of the edge.

Their pages come back within seconds. Until then they count as dropped just now, as after any other loss
of a connection: otherwise the relay would hear of an empty room, and push what its residents are about
to see.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Final, NoReturn

from pydantic import ValidationError

from edge.store.documents import Documents
from laundryd.live.kept import KeptSessions
from laundryd.live.server import LiveServer

log = logging.getLogger("laundryd.edge.local")

DOCUMENT: Final = "live_sessions"
SETTLE_S: Final = 0.5
"""Real seconds in which changes are gathered: a page that is loaded anew goes and comes."""
PAUSE_S: Final = 5.0
"""Real seconds after a write until the next: a page that is hidden and shown over and over wears no disk."""


class SessionKeeper:
    """Keeps the sessions as a document; ``load`` it before the sockets open, and ``run`` it as a task."""

    def __init__(
        self, documents: Documents, live: LiveServer, real_now: Callable[[], datetime]
    ) -> None:
        self._documents, self._live, self._real_now = documents, live, real_now
        self._changed = asyncio.Event()

    async def load(self) -> None:
        """Give the server what its last life has kept; nothing, or what cannot be read, is nobody."""
        body = await self._documents.get(DOCUMENT)
        if body is None:
            return
        try:
            kept = KeptSessions.model_validate_json(body)
        except ValidationError as error:
            # Never what was found: it names residents.
            wrong = error.errors(include_input=False, include_url=False)
            log.error("the kept sessions cannot be read and are forgotten: %s", wrong)  # noqa: TRY400 -- the finding is the message
            return
        self._live.restore(kept, self._real_now())

    def changed(self) -> None:
        """Hear that somebody came, went, or began or ceased to look."""
        self._changed.set()

    async def run(self) -> NoReturn:
        """Keep the sessions whenever they have changed; mere touches change nothing, and wear no disk."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(SETTLE_S)
            self._changed.clear()
            kept = self._live.kept_sessions(self._real_now())
            try:
                await self._documents.put(DOCUMENT, kept.model_dump_json())
            except sqlite3.Error as error:
                log.warning("the sessions are not kept, a restart forgets who looks: %s", error)
            await asyncio.sleep(PAUSE_S)
