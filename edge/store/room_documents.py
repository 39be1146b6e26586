"""The room's documents that are no machine's: who waits, what the settings named, who is gone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from edge.room.waits import WAITS, Waits
from edge.store.commit import Document
from edge.store.documents import Documents
from laundryd.wire.ids import Slug
from laundryd.wire.machines import DisplayName, MachineKind, Programme

log = logging.getLogger("laundryd.edge.store")

_WAITS: Final = "waits"
_NAMED: Final = "named"
_GONE: Final = "gone_machines"
_GONE_MAX: Final = 200
"""Removed machines remembered, as many as a room may have; past it the oldest are forgotten."""
_SLUGS: Final = TypeAdapter(tuple[Slug, ...])


@dataclass(frozen=True, slots=True)
class Named:
    """What residents see that the settings name and no event tells whole; machines in their order."""

    room: DisplayName
    machines: tuple[tuple[Slug, MachineKind, DisplayName], ...]
    programmes: tuple[Programme, ...]


_NAMES: Final = TypeAdapter(Named)


def waits_document(waits: Waits) -> Document:
    """Write ``waits`` as the document that ``kept_waits`` reads."""
    return Document(_WAITS, WAITS.dump_json(waits).decode())


async def kept_waits(documents: Documents) -> Waits:
    """Return who waits for what; nobody when nothing is kept, or, logged, when it cannot be read."""
    body = await documents.get(_WAITS)
    try:
        return Waits() if body is None else WAITS.validate_json(body)
    except ValidationError as error:
        # Never what was found: it names residents.
        wrong = error.errors(include_input=False, include_url=False)
        log.error("who waits cannot be read and is forgotten: %s", wrong)  # noqa: TRY400 -- the finding is the message
        return Waits()


def named_document(named: Named) -> Document:
    """Write ``named``, to see at the next start whether everybody was told these."""
    return Document(_NAMED, _NAMES.dump_json(named).decode())


def gone_document(machines: Sequence[Slug]) -> Document:
    """Write the machines that were once of this room, oldest first, as ``kept_gone`` reads them."""
    return Document(_GONE, _SLUGS.dump_json(tuple(machines)[-_GONE_MAX:]).decode())


async def kept_gone(documents: Documents) -> tuple[Slug, ...]:
    """Return the machines that were once of this room, oldest first: brokers may still show them."""
    body = await documents.get(_GONE)
    try:
        return () if body is None else _SLUGS.validate_json(body)
    except ValidationError:
        log.exception("which machines are gone cannot be read: brokers may go on showing them")
        return ()
