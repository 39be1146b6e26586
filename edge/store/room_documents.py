"""The room's documents that are no machine's: who waits for what, and the programmes that were told."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter, ValidationError

from edge.room.waits import WAITS, Waits
from edge.store.commit import Document
from edge.store.documents import Documents
from laundryd.wire.machines import Programme

log = logging.getLogger("laundryd.edge.store")

_WAITS: Final = "waits"
_PROGRAMMES: Final = "programmes"
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
