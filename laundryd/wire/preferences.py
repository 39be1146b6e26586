"""What a resident wishes to be told, how, and when to be left in peace."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from laundryd.wire.ids import ClosedModel
from laundryd.wire.notices import NoticeKind

_CLOCK_PATTERN: Final = r"^([01]\d|2[0-3]):[0-5]\d$"


class Choice(StrEnum):
    """How one kind of notice is told."""

    APP_AND_PUSH = "app_and_push"
    APP_ONLY = "app_only"
    """On open pages and in the list, never by push."""
    NOTHING = "nothing"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone of the IANA database, such as Asia/Seoul") from None
    return name


ClockTime = Annotated[str, StringConstraints(pattern=_CLOCK_PATTERN)]
"""A time of day, ``HH:MM``, 24 hours."""
ZoneName = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]


class QuietHours(ClosedModel):
    """From ``begin`` to ``end`` each day, by the clocks of ``zone``; over midnight if ``end`` is earlier."""

    begin: ClockTime
    end: ClockTime
    zone: ZoneName

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.begin == self.end:
            raise ValueError("begin and end are the same: quiet hours of no length, or of all day")
        return self


class NoticePreferences(ClosedModel):
    """A resident's wishes. A kind that is not named is told by app and push; ``quiet`` None: never."""

    choices: Annotated[dict[NoticeKind, Choice], Field(max_length=len(NoticeKind))] = Field(
        default_factory=dict
    )
    quiet: QuietHours | None = None

    def choice(self, kind: NoticeKind) -> Choice:
        """Return how ``kind`` is told to this resident."""
        return self.choices.get(kind, Choice.APP_AND_PUSH)
