"""Announcements of the staff: what is written, what is shown in a room, and what became of it.

An announcement *occurs* once, or each day or week. Every occurrence has an id made from the announcement
and the moment it was due, and every resident's notice of it an id made from that: whoever plans it again,
after a restart say, makes the same ids, and nobody is told twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from laundryd.wire.ids import ClosedModel, NoticeId, ResidentId, RoomKey, RoomRef, Slug, WireModel
from laundryd.wire.notices import (
    BODY_MAX,
    NOTICES,
    TITLE_MAX,
    Lang,
    Notice,
    NoticeKind,
)
from laundryd.wire.preferences import ZoneName
from laundryd.wire.times import Moment, to_rfc3339

SHOWN_FOR_MIN_MAX: Final = 60 * 24 * 60
"""Minutes that one occurrence may be shown: two months, a machine that waits for its spare part."""
SHOWN_FOR_MIN: Final = round(NOTICES[NoticeKind.ANNOUNCEMENT].useful_for / timedelta(minutes=1))
"""Minutes that it is shown where its writer says nothing: as long as its notices are useful."""
SHOWN_MAX: Final = 20
"""Announcements shown in one room at a time; of more, the newest."""

ANNOUNCEMENT_PATTERN: Final = r"^[0-9a-f]{16}$"
AnnouncementId = Annotated[str, StringConstraints(pattern=ANNOUNCEMENT_PATTERN)]
OccurrenceId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Title = Annotated[str, StringConstraints(min_length=1, max_length=TITLE_MAX, strip_whitespace=True)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=BODY_MAX, strip_whitespace=True)]
StaffName = Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True)]
StaffSecret = Annotated[str, StringConstraints(min_length=20, max_length=100)]


class AnnouncementKind(StrEnum):
    """What an announcement is about."""

    REPAIR = "repair"
    FAULT = "fault"
    MAINTENANCE = "maintenance"
    OTHER = "other"


class Repeat(StrEnum):
    """How often an announcement occurs again, at the same time of day by the clocks of its zone."""

    DAILY = "daily"
    WEEKLY = "weekly"


class AnnouncementState(StrEnum):
    """Where an announcement stands; ``ANNOUNCEMENT_STATES`` says what each means."""

    SCHEDULED = "scheduled"
    SHOWN = "shown"
    ENDED = "ended"
    CANCELLED = "cancelled"
    MISSED = "missed"


ANNOUNCEMENT_STATES: Final[Mapping[AnnouncementState, str]] = {
    AnnouncementState.SCHEDULED: "It has not gone yet, or goes again; it can be edited and cancelled.",
    AnnouncementState.SHOWN: "Its last occurrence has gone, and is shown until its end.",
    AnnouncementState.ENDED: "It is over.",
    AnnouncementState.CANCELLED: "Staff took it back; what was shown is shown no more.",
    AnnouncementState.MISSED: "The relay was not running from its time until its end: nobody was told.",
}


class AnnouncementText(ClosedModel):
    """A title and a body, as long as a phone shows of a notification."""

    title: Title
    body: Words


class Target(ClosedModel):
    """Whom it concerns: a site, a room, or a machine of a room; none of them: everybody."""

    site: Slug | None = None
    room: RoomKey | None = None
    machine: Slug | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.site is not None and self.room is not None:
            raise ValueError("name a site or a room, not both: a room's key has its site in it")
        if self.machine is not None and self.room is None:
            raise ValueError("name the room that the machine stands in")
        return self

    def covers(self, room: RoomKey) -> bool:
        """Say whether it concerns ``room``."""
        if self.room is not None:
            return room == self.room
        return self.site is None or RoomRef.from_key(room).site == self.site


class AnnouncementBody(ClosedModel):
    """``POST /announcements``, and ``PUT /announcements/{id}`` before it has gone.

    ``texts``: in one language at least; who reads the other one is shown it in this. ``at`` None: now.
    ``repeat`` goes on from ``at`` by the clocks of ``zone``, until ``repeat_until`` if that is given.
    Each occurrence is shown for ``shown_for_min`` minutes. ``urgent``: not held back by quiet hours.
    ``sound`` false: phones show it silently.
    """

    kind: AnnouncementKind
    target: Target = Target()
    texts: Annotated[dict[Lang, AnnouncementText], Field(min_length=1, max_length=len(Lang))]
    sound: bool = True
    urgent: bool = False
    at: Moment | None = None
    repeat: Repeat | None = None
    zone: ZoneName | None = None
    repeat_until: Moment | None = None
    shown_for_min: Annotated[int, Field(ge=5, le=SHOWN_FOR_MIN_MAX)] = SHOWN_FOR_MIN

    @model_validator(mode="after")
    def _repeats_by_a_clock(self) -> Self:
        if (self.repeat is None) != (self.zone is None):
            raise ValueError("repeat and zone are given together: a time of day needs its clocks")
        if self.repeat_until is not None and self.repeat is None:
            raise ValueError("repeat_until without repeat: say how often, or leave it out")
        return self

    @property
    def shown_for(self) -> timedelta:
        """How long one occurrence is shown."""
        return timedelta(minutes=self.shown_for_min)

    def text(self, lang: Lang) -> AnnouncementText:
        """Return the words for a reader of ``lang``; in the other language if there are none."""
        return self.texts.get(lang) or next(iter(self.texts.values()))


class ShownAnnouncement(WireModel):
    """An announcement that is shown in a room from ``since`` until ``until`` (room time).

    ``texts`` are in every language, the missing one filled with the other. ``machine`` None: the room.
    """

    id: OccurrenceId
    kind: AnnouncementKind
    machine: Slug | None = None
    texts: dict[Lang, AnnouncementText]
    urgent: bool
    since: Moment
    until: Moment


class AnnouncementCounts(WireModel):
    """How many residents of the newest occurrence were addressed, and what became of their notices.

    Each resident counts once, in the first that holds: ``read``; ``on_socket``, a page showed it;
    ``pushed``; ``app_only``, their wish: in the app when they come; ``failed``: not reached, or too late;
    ``waiting``: still to be told, in quiet hours say.
    """

    addressed: int = 0
    read: int = 0
    on_socket: int = 0
    pushed: int = 0
    app_only: int = 0
    failed: int = 0
    waiting: int = 0


class Announcement(WireModel):
    """One announcement as staff sees it.

    ``next_at``: when it goes, None when it does not any more. ``shown_until``: the end of what is shown
    now, None when nothing is.
    """

    id: AnnouncementId
    author: str
    created_at: Moment
    state: AnnouncementState
    next_at: Moment | None = None
    shown_until: Moment | None = None
    body: AnnouncementBody
    counts: AnnouncementCounts = AnnouncementCounts()


class Announcements(WireModel):
    """Answer of ``GET /announcements``: newest first, 200 at most; those of the last 30 days."""

    announcements: list[Announcement]


class StaffSignIn(ClosedModel):
    """``POST /staff/sign-in``: the one-time secret of the link that ``laundryd relay staff add`` made."""

    secret: StaffSecret


class StaffMachine(WireModel):
    """A machine that can be addressed."""

    machine: Slug
    name: str


class StaffRoom(WireModel):
    """A room that can be addressed, with its machines as last heard."""

    room: RoomKey
    name: str
    machines: list[StaffMachine]


class StaffMe(WireModel):
    """Answer of ``GET /staff/me`` and of the sign-in: who is signed in, and what can be addressed."""

    name: str
    rooms: list[StaffRoom]


def occurrence_id(announcement: AnnouncementId, due_at: Moment) -> OccurrenceId:
    """Name one occurrence: 32 hex characters of SHA-256 over the announcement and when it was due."""
    return _digest(announcement, to_rfc3339(due_at))


def announcement_notice(
    shown: ShownAnnouncement, *, room: RoomKey, resident: ResidentId, silent: bool
) -> Notice:
    """Make a resident's notice of what is shown; its id depends on occurrence and resident alone."""
    params: dict[str, str | int] = {}
    for lang, text in shown.texts.items():
        params |= {f"title_{lang}": text.title, f"body_{lang}": text.body}
    return Notice(
        id=announcement_notice_id(shown.id, resident),
        kind=NoticeKind.ANNOUNCEMENT,
        room=room,
        machine=shown.machine,
        resident=resident,
        params=params,
        caused_at=shown.since,
        useful_until=shown.until,
        urgent=shown.urgent,
        silent=silent,
    )


def announcement_notice_id(occurrence: OccurrenceId, resident: ResidentId) -> NoticeId:
    """Name a resident's notice of an occurrence; a push ``Topic`` as it stands."""
    return _digest(occurrence, resident)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
