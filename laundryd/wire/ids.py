"""Names of things on the wire: sites, rooms, machines, residents, positions.

A site, a room and a machine are slugs. A room is named across sites by its *room key*,
``site.room``: a dot can stand in no slug, so the key is unambiguous and one URL path segment.
"""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SLUG_PATTERN = r"^[a-z0-9-]{1,32}$"
ROOM_KEY_PATTERN = r"^[a-z0-9-]{1,32}\.[a-z0-9-]{1,32}$"
ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"

Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
RoomKey = Annotated[str, StringConstraints(pattern=ROOM_KEY_PATTERN)]
ResidentId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
DeviceId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
SessionId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
CommandId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
"""Made by the client for one wish of one resident; repeating it repeats the answer, not the deed."""
NoticeId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Epoch = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{1,32}$")]
Run = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{1,32}$")]
"""Names one opening of a program's store. Every entry says in which run of the edge's it was written, and
every page's position in which run of its server's it was taken: two journals that share an epoch and an
offset, of which one went on from a backup, are told apart."""
Word = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{1,32}$")]
"""Names one message, so that its answer is told from late and doubled answers to others."""
Offset = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""Counts the entries of one epoch from 1; 0 is the position before the first. Safe in JavaScript."""

_ROOM_KEY = re.compile(ROOM_KEY_PATTERN)


class WireModel(BaseModel):
    """Base of every message: immutable, and unknown fields are ignored so that newer peers may add."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_timedelta="float")


class ClosedModel(WireModel):
    """Base of what residents' apps send: unknown fields are refused, to name a typing error at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Position(WireModel):
    """A place in a room's journal: everything up to and including ``offset`` of ``epoch``."""

    epoch: Epoch
    offset: Offset


class PagePosition(Position):
    """Where a page stands, in the words of the server that it follows.

    ``run`` names the opening of that server's store in which the position was taken; only the same
    server can tell what it means. None: the server named none, and then the numbers alone count.
    """

    run: Run | None = None

    @classmethod
    def of(cls, position: Position) -> Self:
        """Return ``position`` with the run that it names, if it names one."""
        run = position.run if isinstance(position, PagePosition) else None
        return cls(epoch=position.epoch, offset=position.offset, run=run)

    def in_run(self, run: Run | None) -> Self:
        """Return the same place as it is called in ``run``."""
        return type(self)(epoch=self.epoch, offset=self.offset, run=run)


class RoomRef(WireModel):
    """A room by its two slugs."""

    site: Slug
    room: Slug

    @property
    def key(self) -> str:
        """The room key, ``site.room``."""
        return f"{self.site}.{self.room}"

    @property
    def audience(self) -> str:
        """The audience of tokens for this room's own page, ``edge:site/room``."""
        return f"edge:{self.site}/{self.room}"

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Read a room key.

        Raises:
            ValueError: ``key`` is not two slugs joined by a dot.

        """
        if not _ROOM_KEY.fullmatch(key):
            raise ValueError(
                f"{key!r} is not a room key: write it as site.room, two slugs and a dot"
            )
        site, room = key.split(".")
        return cls(site=site, room=room)
