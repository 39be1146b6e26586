"""The pages of staff in a real browser: why a resident was not told, on a phone and in the office."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from laundryd.wire.errors import ErrorCode
from laundryd.wire.notices import NoticeKind

from .room_door import ROOM
from .staff_door import ANNA, BEN, StaffDoor, resident
from .test_notice_pages import PHONE, SMALL, TOUCH_PX, UNNAMED, WALL

if TYPE_CHECKING:
    from .conftest import Shell

pytestmark = pytest.mark.e2e
LOOK_UP = "#staff&view=told"


async def enter(shell: Shell, hash_: str = LOOK_UP, size: dict[str, int] = PHONE) -> Page:
    """Open one of staff's pages by its address; Kim is signed in."""
    await shell.page.set_viewport_size({"width": size["width"], "height": size["height"]})
    await shell.page.goto(f"{shell.address}/{hash_}")
    await shell.page.get_by_test_id("staff").wait_for()
    await shell.page.locator("[data-lang=en]").click()
    return shell.page


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("size", [PHONE, WALL], ids=["phone", "wall"])
async def test_every_page_fits_is_named_and_is_hit_by_a_finger(
    at_the_office: Shell, lang: str, size: dict[str, int]
) -> None:
    for hash_, there in (
        ("#staff", "[data-announcement]"),
        (LOOK_UP, f"[data-resident='{BEN}']"),
        (f"{LOOK_UP}&resident={ANNA}", "[data-history-id]"),
    ):
        page = await enter(at_the_office, hash_, size)
        await page.locator(there).first.wait_for(state="attached")
        await page.locator(f"[data-lang={lang}]").click()
        await expect(page.locator("html")).to_have_attribute("lang", lang)
        assert await page.evaluate("document.documentElement.scrollWidth") == size["width"]
        assert await page.evaluate(SMALL, TOUCH_PX) == []
        assert await page.evaluate(UNNAMED) == []
        assert "{" not in await page.inner_text("main")
        # The next address has the same page: it is loaded anew.
        await page.goto("about:blank")
    assert at_the_office.complaints == []


async def test_a_resident_is_found_by_number_and_room_and_each_notice_says_why(
    at_the_office: Shell, office: StaffDoor
) -> None:
    page = await enter(at_the_office, "#staff")
    await page.locator("[data-view=told]").click()
    await expect(page.locator("[data-resident]")).to_have_count(2)
    await expect(page.locator(f"[data-resident='{ANNA}']")).to_contain_text("not reached: 3")
    await expect(page.get_by_text("There are more.")).to_be_visible()
    await page.locator("[name=in-room]").select_option(ROOM)
    await page.locator("[name=sought]").fill(f" {ANNA[:5]}")
    await page.get_by_test_id("look-find").click()
    # The only one whom it fits is chosen.
    await expect(page.locator(f"[data-of='{ANNA}'] [data-history-id]")).to_have_count(
        len(office.notices)
    )
    assert office.sought == [("", None), ("", ROOM), (ANNA[:5], ROOM)]
    fates = {
        one.notice.kind: page.locator(f"[data-history-id='{one.notice.id}']")
        for one in office.notices
    }
    missed = fates[NoticeKind.REMINDER]
    await expect(missed).to_have_attribute("data-fate", "untold")
    await expect(missed.locator(".fate")).to_contain_text("None of their devices had its bell")
    await expect(missed.locator(".hint")).to_contain_text("they switch the bell on")
    await expect(fates[NoticeKind.HOLD_ENDED].locator(".fate")).to_contain_text("they chose so")
    await missed.locator("summary").click()
    await expect(missed.locator("ol li")).to_have_count(2)
    await page.get_by_test_id("look-missed").check()
    await expect(page.locator("[data-history-id]")).to_have_count(3)
    words = " ".join(await page.locator(".fate").all_inner_texts()).lower()
    assert " you" not in words, "it is read by the staff"


async def test_of_a_resident_in_two_rooms_each_notice_says_which(
    at_the_office: Shell, office: StaffDoor
) -> None:
    page = await enter(at_the_office, f"{LOOK_UP}&resident={ANNA}")
    entries = page.locator("[data-history-id]")
    await expect(entries).to_have_count(len(office.notices))
    await expect(page.locator(".in-room")).to_have_count(0)
    (first, *others) = office.notices
    elsewhere = first.notice.model_copy(update={"room": "maple-hall.attic"})
    office.notices = [first.model_copy(update={"notice": elsewhere}), *others]
    await page.reload()
    await expect(entries.first.locator(".in-room")).to_have_text("maple-hall.attic")
    await expect(entries.nth(1).locator(".in-room")).to_have_text("Maple Hall")


async def test_the_bells_of_a_resident_are_read_and_not_taken_away(at_the_office: Shell) -> None:
    page = await enter(at_the_office, f"{LOOK_UP}&resident={ANNA}")
    await expect(page.locator("[data-device]")).to_have_count(4)
    await expect(page.locator("[data-fault=http_429]")).to_contain_text("could not take it")
    await expect(page.locator("[data-lost=true]")).to_contain_text("They open the app there")
    await expect(page.locator("[data-device] button")).to_have_count(0)
    await expect(page.locator("[data-device]").first).to_contain_text("app last opened")


async def test_a_phone_shows_the_list_or_whom_it_leads_to_and_the_office_both(
    at_the_office: Shell,
) -> None:
    page = await enter(at_the_office)
    await page.locator(f"[data-resident='{BEN}']").click()
    await expect(page.locator("#resident-title")).to_be_focused()
    await expect(page.get_by_text("There is nothing")).to_be_visible()
    await expect(page.get_by_text("No device of theirs has its bell")).to_be_visible()
    await expect(page.locator(".finding")).to_be_hidden()
    await page.go_back()
    await expect(page.locator(".finding")).to_be_visible()
    await expect(page.locator(f"[data-resident='{BEN}']")).to_be_focused()
    await page.locator(f"[data-resident='{ANNA}']").click()
    await page.get_by_test_id("look-back").click()
    await expect(page.locator(".finding")).to_be_visible()
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.locator(f"[data-resident='{ANNA}']").click()
    await expect(page.locator("[data-history-id]").first).to_be_visible()
    await expect(page.locator(f"[data-resident='{ANNA}'][aria-current]")).to_be_visible()


async def test_what_is_refused_is_said_and_an_ended_session_is_out(
    at_the_office: Shell, office: StaffDoor
) -> None:
    page = await enter(at_the_office)
    office.refused = ErrorCode.BUSY
    await page.get_by_test_id("look-find").click()
    await expect(page.locator("[data-problem=busy]")).to_be_visible()
    office.refused = None
    await page.get_by_test_id("look-find").click()
    await expect(page.locator("[data-problem=busy]")).to_have_count(0)
    office.refused = ErrorCode.STAFF_ONLY
    await page.locator(f"[data-resident='{ANNA}']").click()
    await expect(page.get_by_test_id("staff-out")).to_be_visible()
    await expect(page.locator("[data-problem=staff_only]")).to_be_attached()


async def test_nobody_and_a_name_that_is_no_markup(at_the_office: Shell, office: StaffDoor) -> None:
    office.residents = [resident(BEN, ["<img src=x onerror=alert(1)>"], untold=0, bells=1)]
    page = await enter(at_the_office)
    await expect(page.locator(f"[data-resident='{BEN}']")).to_contain_text("<img src=x")
    assert await page.locator(".residents img").count() == 0
    await page.locator("[name=sought]").fill("nobody")
    await page.locator("[name=sought]").press("Enter")
    await expect(page.get_by_text("Nobody fits that.")).to_be_visible()
