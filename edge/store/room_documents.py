"""The room's documents that are no machine's: who waits, which programmes were told, who is gone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter, ValidationError

from edge.room.waits import WAITS, Waits
from edge.store.commit import Document
from edge.store.documents import Documents
from laundryd.wire.ids import Slug
from laundryd.wire.machines import Programme

log = logging.getLogger("laundryd.edge.store")

_WAITS: Final = "waits"
_PROGRAMMES: Final = "programmes"
_GONE: Final = "gone_machines"
_GONE_MAX: Final = 200
"""Removed machines remembered, as many as a room may have; past it the oldest are forgotten."""
_SLUGS: Final = TypeAdapter(tuple[Slug, ...])
_LISTED: Final = TypeAdapter(tuple[Programme, ...])


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


def programmes_document(programmes: Sequence[Programme]) -> Document:
    """Write the settings' programmes, to see at the next start whether the relay was told these."""
    return Document(_PROGRAMMES, _LISTED.dump_json(tuple(programmes)).decode())


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
