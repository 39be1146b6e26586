"""The enrolment file: what ``laundryd relay room add`` hands to an edge, once."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from edge.errors import EnrolmentError
from laundryd.daemon.enrolment import Enrolment
from laundryd.wire.ids import RoomRef

__all__ = ["Enrolment", "read_enrolment"]


def read_enrolment(path: Path, room: RoomRef) -> Enrolment:
    """Read the enrolment file and check that it is this room's.

    Raises:
        EnrolmentError: it cannot be read, is malformed, or is another room's.

    """
    try:
        enrolment = Enrolment.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EnrolmentError(f"cloud.enrolment: {path} cannot be read: {error}") from error
    except ValidationError as error:
        fields = ", ".join(".".join(str(p) for p in item["loc"]) for item in error.errors())
        raise EnrolmentError(
            f"cloud.enrolment: {path} has wrong or missing fields ({fields}); "
            "make it anew with `laundryd relay room add`"
        ) from error
    if (enrolment.site, enrolment.room) != (room.site, room.room):
        raise EnrolmentError(
            f"cloud.enrolment: {path} is for {enrolment.site}.{enrolment.room}, "
            f"this room is {room.key}: use that room's own file"
        )
    return enrolment
