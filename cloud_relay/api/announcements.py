"""Announcements, for staff alone: write, list, edit before they go, and take back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from cloud_relay.api.services import Relay, Services
from cloud_relay.api.staff import STAFF
from cloud_relay.api.staff_door import StaffCaller, StaffMember
from laundryd.daemon.openapi import CHANGING, refusals
from laundryd.daemon.problems import ProblemError
from laundryd.wire.announcements import (
    ANNOUNCEMENT_PATTERN,
    Announcement,
    AnnouncementBody,
    Announcements,
)
from laundryd.wire.errors import ErrorCode

router = APIRouter(prefix="/api/v1/announcements", tags=["staff"])

AnnouncementPath = Annotated[
    str,
    Path(description="As the list names it.", json_schema_extra={"pattern": ANNOUNCEMENT_PATTERN}),
]
_WRITING = (*CHANGING, *STAFF, ErrorCode.UNKNOWN_TARGET, ErrorCode.RATE_LIMITED)
_GONE = (ErrorCode.UNKNOWN_ANNOUNCEMENT, ErrorCode.ALREADY_GONE)


@router.get("", responses=refusals(*STAFF))
async def list_announcements(
    response: Response, relay: Relay, _caller: StaffCaller
) -> Announcements:
    """List the newest announcements with their state, and what became of their notices."""
    response.headers["Cache-Control"] = "no-store"
    return Announcements(announcements=await relay.announcements.listed())


@router.post("", status_code=201, responses=refusals(*_WRITING))
async def write_announcement(
    body: AnnouncementBody, relay: Relay, caller: StaffCaller
) -> Announcement:
    """Announce something, now or at its time. Texts in one language do: the other one shows the same."""
    _count(relay, caller)
    written = await relay.announcements.write(caller.name, body)
    relay.announced()
    return written


@router.put("/{announcement}", responses=refusals(*_WRITING, *_GONE))
async def edit_announcement(
    announcement: AnnouncementPath, body: AnnouncementBody, relay: Relay, caller: StaffCaller
) -> Announcement:
    """Put something else in its place, before it goes; of a repeated one, before it goes again."""
    _count(relay, caller)
    edited = await relay.announcements.edit(announcement, body)
    relay.announced()
    return edited


@router.delete("/{announcement}", responses=refusals(*CHANGING, *STAFF, *_GONE))
async def cancel_announcement(
    announcement: AnnouncementPath, relay: Relay, _caller: StaffCaller
) -> Announcement:
    """Take it back: it goes no more, and what is shown of it is shown no more."""
    cancelled = await relay.announcements.cancel(announcement)
    relay.announced()
    return cancelled


def _count(relay: Services, caller: StaffMember) -> None:
    wait_s = relay.staff_writes.take(caller.name, relay.clock.monotonic_s())
    if wait_s is not None:
        raise ProblemError(
            ErrorCode.RATE_LIMITED,
            "You have announced very much within an hour.",
            retry_after_s=wait_s,
        )
