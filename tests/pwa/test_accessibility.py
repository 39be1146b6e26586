"""Axe over every page: with a keyboard, a screen reader or poor sight they are the same pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from laundryd.wire.announcements import AnnouncementKind, AnnouncementText, ShownAnnouncement
from laundryd.wire.frames import RoomStatus, ShownInRoom
from laundryd.wire.machines import EdgeStatus, MachineKind, Programme
from laundryd.wire.notices import Lang, NoticeKind
from laundryd.wire.preferences import NoticePreferences, QuietHours
from laundryd.wire.subscriptions import PushTry, Tried

from . import test_notice_pages, test_room_page, test_staff_pages
from .axe import assert_accessible, judged
from .relay_door import RelayDoor, a_month, bells
from .room_door import ROOM, RoomDoor, in_minutes
from .staff_door import ANNA
from .test_notice_pages import IPHONE, PHONE, WALL

if TYPE_CHECKING:
    from .conftest import Shell

pytestmark = pytest.mark.e2e
SIZES = pytest.mark.parametrize("size", [PHONE, WALL], ids=["phone", "wall"])


async def test_axe_sees_what_is_wrong(shell: Shell) -> None:
    await shell.page.goto(shell.address)
    await shell.page.get_by_test_id("join-form").wait_for()
    await shell.page.evaluate(
        "document.querySelector('main').append(document.createElement('input'))"
    )
    await shell.page.evaluate("document.querySelector('h1').style.opacity = 0.3")
    found = " ".join((await judged(shell.page)).found)
    assert "color-contrast" in found
    assert "label" in found


@SIZES
async def test_the_way_in(shell: Shell, size: dict[str, int]) -> None:
    page = shell.page
    await page.set_viewport_size({"width": size["width"], "height": size["height"]})
    await page.goto(shell.address)
    await page.get_by_test_id("join-form").wait_for()
    await assert_accessible(page, "join")
    await page.goto(f"{shell.address}/#join=ABCD-EFGH")
    await page.locator("[data-problem=join_code_invalid]").wait_for()
    await assert_accessible(page, "a refused code")


@SIZES
async def test_the_room_in_every_phase_with_what_is_told_there(
    at_the_room: Shell, door: RoomDoor, size: dict[str, int]
) -> None:
    test_room_page.every_phase(door)
    door.durable = False
    page = await test_room_page.enter(at_the_room, size)
    await assert_accessible(page, "the room")
    for number, kind in enumerate((NoticeKind.DONE, NoticeKind.PICKUP_REQUESTED), 2):
        await door.tell(test_room_page.told(number, kind, "w4"))
    await door.tell(announcement())
    await page.locator("[data-notice-kind=pickup_requested]").wait_for()
    await page.locator("[data-announcement]").wait_for()
    await assert_accessible(page, "what is told in the room")


@pytest.mark.parametrize("lang", list(Lang))
async def test_every_sheet_of_the_room(at_the_relay: Shell, relay: RelayDoor, lang: Lang) -> None:
    test_room_page.every_phase(relay)
    relay.lang = lang
    relay.programmes = [
        Programme(programme="cotton", kind=MachineKind.DRYER, name="Cotton dry", minutes=90)
    ]
    page = await test_room_page.enter(at_the_relay)
    await page.get_by_test_id("menu-open").click()
    await in_sheet(page, "menu")
    await page.locator("[data-machine=d2] [data-command=start]").click()
    await in_sheet(page, "start")
    await page.locator("[data-machine=w3] [data-testid=more]").click()
    await in_sheet(page, "more")
    await page.locator("[data-machine=w3] [data-command=extend]").click()
    await in_sheet(page, "extend")
    await page.locator("[data-machine=w1] [data-testid=more]").click()
    await page.locator("dialog [data-command=report_fault]").click()
    await in_sheet(page, "fault")


async def in_sheet(page: Page, what: str) -> None:
    """Judge the sheet that is open, and close it."""
    await page.locator("dialog[open]").wait_for()
    await assert_accessible(page, what)
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog[open]")).to_have_count(0)


@SIZES
async def test_notices_wishes_and_the_bell(
    at_the_relay: Shell, relay: RelayDoor, size: dict[str, int]
) -> None:
    relay.notices, relay.bells = a_month(), bells()
    relay.wishes = NoticePreferences(quiet=QuietHours(begin="23:00", end="07:00", zone="UTC"))
    relay.tried = [
        Tried(id=one.id, name=one.name, here=one.here, outcome=outcome, kind="http_403")
        for one, outcome in zip(relay.bells, PushTry, strict=True)
    ]
    for name in test_notice_pages.PAGES:
        page = await test_notice_pages.enter(at_the_relay, name, size)
        for steps in await page.locator("summary").all():
            await steps.click()
        await assert_accessible(page, name)
    await page.get_by_test_id("bell-test").click()
    await expect(page.locator("[data-tried]")).to_have_count(4)
    await assert_accessible(page, "a test of the bell")


async def test_the_bell_in_every_state(at_the_relay: Shell, relay: RelayDoor) -> None:
    session = await at_the_relay.context.new_cdp_session(at_the_relay.page)
    for setting, said in (("denied", "blocked"), ("prompt", "off")):
        permission = {"name": "notifications"}
        await session.send(
            "Browser.setPermission",
            {"permission": permission, "setting": setting, "origin": at_the_relay.address},
        )
        page = await test_notice_pages.enter(at_the_relay, "bell")
        await page.locator(f"[data-bell-said={said}]").wait_for()
        await assert_accessible(page, f"bell {said}")
    relay.lost_at = bells()[2].seen_at
    await page.goto("about:blank")
    page = await test_room_page.enter(at_the_relay)
    await page.locator("[data-bell-line=off] span[role=alert]").wait_for()
    await assert_accessible(page, "a bell that went silent")


@pytest.mark.parametrize(("system", "why"), [("18_4", "home_screen"), ("16_3", "ios_old")])
async def test_a_bell_that_cannot_ring(at_the_relay: Shell, system: str, why: str) -> None:
    session = await at_the_relay.context.new_cdp_session(at_the_relay.page)
    agent = {"userAgent": IPHONE.format(system)}
    await session.send("Emulation.setUserAgentOverride", agent)
    await at_the_relay.page.add_init_script("delete window.PushManager; delete window.Notification")
    page = await test_notice_pages.enter(at_the_relay, "bell")
    await page.locator(f"[data-bell-why={why}]").wait_for()
    await assert_accessible(page, f"bell {why}")


async def test_a_room_that_is_not_reached(at_the_relay: Shell, relay: RelayDoor) -> None:
    test_room_page.every_phase(relay)
    page = await test_room_page.enter(at_the_relay)
    await relay.tell(RoomStatus(room=ROOM, edge=EdgeStatus(online=False, since=in_minutes(-5))))
    await page.locator("[data-command]:disabled").first.wait_for()
    await assert_accessible(page, "a room that is not reached")


@SIZES
async def test_the_pages_of_staff(at_the_office: Shell, size: dict[str, int]) -> None:
    for hash_, there in (
        ("#staff", "[data-announcement]"),
        (test_staff_pages.LOOK_UP, "[data-resident]"),
        (f"{test_staff_pages.LOOK_UP}&resident={ANNA}", "[data-history-id]"),
    ):
        page = await test_staff_pages.enter(at_the_office, hash_, size)
        await page.locator(there).first.wait_for(state="attached")
        await assert_accessible(page, f"staff {hash_}")
        await page.goto("about:blank")


async def test_staff_that_is_signed_out(at_the_relay: Shell) -> None:
    await at_the_relay.page.goto(f"{at_the_relay.address}/#staff")
    await at_the_relay.page.get_by_test_id("staff-out").wait_for()
    await assert_accessible(at_the_relay.page, "staff, signed out")


def announcement() -> ShownInRoom:
    """Return what staff announces in the room."""
    words = AnnouncementText(title="Water off", body="On Tuesday from 9 to 12.")
    shown = ShownAnnouncement(
        id="0" * 32,
        kind=AnnouncementKind.MAINTENANCE,
        texts=dict.fromkeys(Lang, words),
        urgent=True,
        since=in_minutes(-5),
        until=in_minutes(500),
    )
    return ShownInRoom(room=ROOM, shown=[shown])
