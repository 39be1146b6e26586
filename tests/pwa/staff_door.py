"""What the page of staff sees of a relay: announcements, residents, and what they were told."""

from __future__ import annotations

from fastapi import FastAPI, Response
from typing_extensions import override

from laundryd.wire.announcements import (
    Announcement,
    AnnouncementBody,
    AnnouncementCounts,
    AnnouncementKind,
    Announcements,
    AnnouncementState,
    AnnouncementText,
    StaffMachine,
    StaffMe,
    StaffRoom,
    Target,
)
from laundryd.wire.bodies import MyNotices
from laundryd.wire.notices import Lang
from laundryd.wire.staff import StaffResident, StaffResidents
from laundryd.wire.subscriptions import MySubscriptions

from .relay_door import RelayDoor, a_month, bells
from .room_door import ROOM, in_minutes

ANNA, BEN = "Kq-3_anna-0000aa", "Zr81_ben--0000bb"


class StaffDoor(RelayDoor):
    """A relay as its staff meets it. ``refused``: what every look-up is refused with."""

    def __init__(self) -> None:
        super().__init__()
        self.notices, self.bells = a_month(), bells()
        self.announcements = announced()
        self.residents = [
            resident(BEN, ["Safari on iPhone"], untold=0, bells=0),
            resident(ANNA, ["Chrome on Android", "Firefox on Linux"], untold=3, bells=3),
        ]
        self.sought: list[tuple[str, str | None]] = []

    @override
    def routes(self, app: FastAPI) -> None:
        """Add what staff may ask."""
        super().routes(app)

        @app.get("/api/v1/staff/me")
        async def staff_me() -> StaffMe:
            self._may("staff")
            machines = [StaffMachine(machine="w1", name="Washer 1")]
            return StaffMe(
                name="Kim", rooms=[StaffRoom(room=ROOM, name="Maple Hall", machines=machines)]
            )

        @app.delete("/api/v1/staff/me")
        async def sign_out() -> Response:
            return Response(status_code=204)

        @app.get("/api/v1/announcements")
        async def announcements() -> Announcements:
            return Announcements(announcements=self.announcements)

        @app.get("/api/v1/staff/residents")
        async def find(sought: str = "", room: str | None = None) -> StaffResidents:
            self._may("find")
            self.sought.append((sought, room))
            fit = [one for one in self.residents if one.resident.startswith(sought)]
            return StaffResidents(residents=fit, more=sought == "")

        @app.get("/api/v1/staff/residents/{one}/notices")
        async def notices_of(one: str) -> MyNotices:
            self._may(f"notices {one}")
            return MyNotices(notices=self.notices if one == ANNA else [])

        @app.get("/api/v1/staff/residents/{one}/subscriptions")
        async def bells_of(one: str) -> MySubscriptions:
            theirs = [bell.model_copy(update={"here": False}) for bell in self.bells]
            return MySubscriptions(subscriptions=theirs if one == ANNA else [])


def resident(number: str, devices: list[str], *, untold: int, bells: int) -> StaffResident:
    """Return a resident who joined the room a day ago."""
    return StaffResident(
        resident=number,
        rooms=[ROOM],
        joined_at=in_minutes(-24 * 60),
        devices=devices,
        bells=bells,
        untold=untold,
    )


def announced() -> list[Announcement]:
    """Return an announcement of each state."""
    texts = {
        Lang.KO: AnnouncementText(
            title="단수 안내", body="화요일 9시부터 12시까지 물이 나오지 않아요."
        ),
        Lang.EN: AnnouncementText(title="Water off", body="On Tuesday from 9 to 12."),
    }
    counts = AnnouncementCounts(addressed=12, read=4, on_socket=2, pushed=3, failed=2, waiting=1)
    return [
        Announcement(
            id=f"{number:016x}",
            author="Kim",
            created_at=in_minutes(-60),
            state=state,
            next_at=in_minutes(90) if state is AnnouncementState.SCHEDULED else None,
            shown_until=in_minutes(600) if state is AnnouncementState.SHOWN else None,
            body=AnnouncementBody(
                kind=kind,
                target=Target(room=ROOM, machine="w1") if number else Target(),
                texts=texts,
                urgent=number == 1,
                sound=number != 1,
            ),
            counts=counts if state is not AnnouncementState.SCHEDULED else AnnouncementCounts(),
        )
        for number, (state, kind) in enumerate(
            zip(AnnouncementState, [*AnnouncementKind, AnnouncementKind.OTHER], strict=True)
        )
    ]
