"""The pages of notices, wishes and the bell in a real browser: what they say, keep and refuse."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from laundryd.wire.delivery import DeliveryState
from laundryd.wire.errors import ErrorCode
from laundryd.wire.frames import NoticeFrame
from laundryd.wire.notices import Lang, NoticeKind
from laundryd.wire.preferences import Choice, NoticePreferences, QuietHours
from laundryd.wire.subscriptions import PushTry, Tried

from .relay_door import RelayDoor, a_month, bells, told

if TYPE_CHECKING:
    from .conftest import Shell

pytestmark = pytest.mark.e2e
PHONE = {"width": 360, "height": 780}
WALL = {"width": 1920, "height": 1080}
TOUCH_PX = 44
"""WCAG 2.5.5: what a finger hits."""
PAGES = ("notices", "wishes", "bell")

SMALL = """minimum => [...document.querySelectorAll('button, summary, .segment, .option, select')]
    .filter(seen => seen.checkVisibility())
    .filter(seen => seen.getBoundingClientRect().height < minimum)
    .map(seen => seen.outerHTML)"""
UNNAMED = """() => [...document.querySelectorAll('main input, main select, main button')]
    .filter(seen => !seen.getAttribute('aria-label') && !seen.labels?.length && !seen.textContent.trim())
    .map(seen => seen.outerHTML)"""


async def enter(shell: Shell, name: str, size: dict[str, int] = PHONE) -> Page:
    """Open one of the pages by its address."""
    await shell.page.set_viewport_size({"width": size["width"], "height": size["height"]})
    await shell.page.goto(f"{shell.address}/#page={name}")
    await shell.page.locator(f"[data-connection=live] [data-page={name}]").wait_for()
    return shell.page


@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize("size", [PHONE, WALL], ids=["phone", "wall"])
async def test_every_page_fits_is_named_and_is_hit_by_a_finger(
    at_the_relay: Shell, relay: RelayDoor, lang: Lang, size: dict[str, int]
) -> None:
    relay.lang, relay.notices, relay.bells = lang, a_month(), bells()
    relay.wishes = NoticePreferences(quiet=QuietHours(begin="23:00", end="07:00", zone="UTC"))
    for name in PAGES:
        page = await enter(at_the_relay, name, size)
        await expect(page.get_by_text("…")).to_have_count(0)
        assert await page.evaluate("document.documentElement.scrollWidth") == size["width"]
        assert await page.evaluate(SMALL, TOUCH_PX) == []
        assert await page.evaluate(UNNAMED) == []
        assert "{" not in await page.inner_text("main")
        await expect(page.locator("h1")).to_be_focused()
    assert at_the_relay.complaints == []


async def test_the_menu_leads_there_and_the_phones_own_way_back_out(
    at_the_relay: Shell, relay: RelayDoor
) -> None:
    relay.notices = a_month()
    page = at_the_relay.page
    await page.goto(at_the_relay.address)
    for name in PAGES:
        await page.get_by_test_id("menu-open").click()
        await page.get_by_test_id(f"menu-{name}").click()
        await expect(page.locator(f"[data-page={name}]")).to_be_visible()
        await page.go_back()
        await expect(page.locator("main.room")).to_be_visible()
    await page.get_by_test_id("menu-open").click()
    await page.get_by_test_id("menu-notices").click()
    # On to the bell from there: back leads to the room, not through every page.
    await page.locator("[data-remedy=bell]").first.click()
    await expect(page.locator("[data-page=bell]")).to_be_visible()
    await page.get_by_test_id("page-back").click()
    await expect(page.locator("main.room")).to_be_visible()
    await expect(page.get_by_test_id("menu-open")).to_be_focused()


async def test_each_notice_says_what_became_of_it_and_why(
    at_the_relay: Shell, relay: RelayDoor
) -> None:
    relay.notices = a_month()
    page = await enter(at_the_relay, "notices")
    fates = {
        one.notice.kind: page.locator(f"[data-history-id='{one.notice.id}']")
        for one in relay.notices
    }
    await expect(fates[NoticeKind.DONE]).to_have_attribute("data-fate", "told")
    await expect(fates[NoticeKind.DONE].locator(".fate")).to_contain_text("the room's own page")
    missed = fates[NoticeKind.REMINDER]
    await expect(missed).to_have_attribute("data-fate", "untold")
    await expect(missed.locator(".fate")).to_contain_text("None of your devices had its bell")
    await expect(fates[NoticeKind.MACHINE_FREE].locator(".fate")).to_contain_text(
        "http_403, timeout"
    )
    await expect(fates[NoticeKind.REPAIRED]).to_have_attribute("data-fate", "open")
    steps = fates[NoticeKind.ENDING_SOON].locator("ol li")
    await expect(steps.first).to_be_hidden()
    await fates[NoticeKind.ENDING_SOON].locator("summary").press("Enter")
    await expect(steps).to_have_count(4)
    await expect(steps.nth(1)).to_contain_text("did not show it in time")
    await page.get_by_test_id("history-missed").check()
    await expect(page.locator("[data-history-id]")).to_have_count(3)


async def test_a_list_that_cannot_be_read_says_so_and_is_asked_for_again(
    at_the_relay: Shell, relay: RelayDoor
) -> None:
    relay.refused = ErrorCode.BUSY
    page = await enter(at_the_relay, "notices")
    banner = page.locator("[data-problem=busy]")
    await expect(banner).to_be_visible()
    relay.refused, relay.notices = None, a_month()
    await banner.get_by_role("button").click()
    await expect(page.locator("[data-history-id]")).to_have_count(len(relay.notices))
    await expect(banner).to_have_count(0)


async def test_a_wish_is_kept_at_once_and_the_keyboard_is_enough(
    at_the_relay: Shell, relay: RelayDoor
) -> None:
    page = await enter(at_the_relay, "wishes")
    done = page.locator("[data-wish=done]")
    await done.get_by_label("App only").check(force=True)
    await expect(page.locator("[data-saving=saved]")).to_be_attached()
    assert relay.wishes is not None
    assert relay.wishes.choices == {NoticeKind.DONE: Choice.APP_ONLY}
    await page.keyboard.press("ArrowRight")
    await expect(done).to_have_attribute("data-choice", "nothing")
    # What takes back a promise cannot be turned off; what only pages tell is not pushed.
    await expect(page.locator("[data-wish=resumed] input")).to_have_count(2)
    await expect(page.locator("[data-wish=started]")).to_have_attribute("data-choice", "app_only")
    await expect(page.locator("[data-wish=test]")).to_have_count(0)
    await page.reload()
    await expect(done).to_have_attribute("data-choice", "nothing")


async def test_a_wish_that_is_refused_is_taken_back_and_said(
    at_the_relay: Shell, relay: RelayDoor
) -> None:
    page = await enter(at_the_relay, "wishes")
    relay.refused = ErrorCode.INVALID_BODY
    done = page.locator("[data-wish=done]")
    await done.get_by_label("Nothing").click(force=True)
    await expect(page.locator("[data-saving=invalid_body]")).to_be_visible()
    await expect(done).to_have_attribute("data-choice", "app_and_push")


async def kept(relay: RelayDoor, quiet: QuietHours | None) -> None:
    """Wait until the relay has these quiet hours: what changes while one is saved goes with the next."""
    async with asyncio.timeout(10):
        while relay.wishes is None or relay.wishes.quiet != quiet:  # noqa: ASYNC110 -- a server's state
            await asyncio.sleep(0.02)


async def test_quiet_hours_begin_with_the_browsers_own_zone(
    at_the_relay: Shell, relay: RelayDoor
) -> None:
    session = await at_the_relay.context.new_cdp_session(at_the_relay.page)
    await session.send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Seoul"})
    page = await enter(at_the_relay, "wishes")
    await page.get_by_test_id("quiet-on").check()
    await expect(page.locator("[data-saving=saved]")).to_be_attached()
    await kept(relay, QuietHours(begin="23:00", end="07:00", zone="Asia/Seoul"))
    begin = page.get_by_test_id("quiet-begin")
    await begin.fill("07:00")
    await begin.blur()
    await expect(page.get_by_text("Choose two different times.")).to_be_visible()
    assert relay.asked.count("put me") == 1, "what cannot be kept is not sent"
    await begin.fill("21:30")
    await begin.blur()
    await kept(relay, QuietHours(begin="21:30", end="07:00", zone="Asia/Seoul"))
    await page.get_by_test_id("quiet-zone").select_option("Europe/Berlin")
    await expect(page.get_by_text("9 h 30 min each night")).to_be_visible()
    await page.get_by_test_id("quiet-on").uncheck()
    await expect(page.locator("[data-quiet=off]")).to_be_visible()
    await kept(relay, None)


async def test_the_language_of_page_and_notices_is_one(
    at_the_relay: Shell, relay: RelayDoor
) -> None:
    page = await enter(at_the_relay, "wishes")
    await page.locator("[data-lang=ko]").click()
    await expect(page.locator("h1")).to_have_text("알림 설정")
    await page.reload()
    await expect(page.locator("h1")).to_have_text("알림 설정")
    assert relay.lang is Lang.KO


@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize("address", ["https://laundry.example.org", None])
async def test_the_rooms_own_page_says_where_it_can_be_changed(
    at_the_relay: Shell, relay: RelayDoor, lang: Lang, address: str | None
) -> None:
    relay.wishes, relay.relay_url, relay.push_key, relay.lang = None, address, None, lang
    for name in PAGES:
        page = await enter(at_the_relay, name)
        said = page.locator("[data-elsewhere]")
        if address is None:
            await expect(said).to_have_attribute("data-elsewhere", "alone")
        else:
            link = said.get_by_role("link", name=address)
            await expect(link).to_have_attribute("href", f"{address}/#page={name}")
    await expect(page.locator("[data-bell-why=room_page]")).to_be_visible()
    assert relay.asked == [], "a room has none of it"


async def test_devices_are_listed_and_removed(at_the_relay: Shell, relay: RelayDoor) -> None:
    relay.bells = bells()
    page = await enter(at_the_relay, "bell")
    await expect(page.locator("[data-device]")).to_have_count(4)
    await expect(page.locator("[data-fault=http_429]")).to_contain_text("could not take it")
    await expect(page.locator("[data-lost=true]")).to_contain_text("Silent since")
    await expect(page.get_by_text("open the app there before")).to_be_visible()
    await page.get_by_role("button", name="Remove Safari on iPhone").click()
    await expect(page.locator("[data-device]")).to_have_count(3)
    await expect(page.get_by_text("Nothing is sent there any more")).to_be_visible()
    await expect(page.locator("[data-lost=true]")).to_have_count(0)


async def test_a_name_is_text_whatever_it_says(at_the_relay: Shell, relay: RelayDoor) -> None:
    named = bells()[0].model_copy(update={"name": "<img src=x onerror=alert(1)>"})
    relay.bells = [named]
    page = await enter(at_the_relay, "bell")
    await expect(page.locator("[data-device] h3")).to_contain_text("<img src=x onerror=alert(1)>")
    assert await page.locator("[data-device] img").count() == 0


@pytest.mark.parametrize("lang", list(Lang))
async def test_a_test_says_what_came_of_it_at_each_device(
    at_the_relay: Shell, relay: RelayDoor, lang: Lang
) -> None:
    relay.lang, relay.bells = lang, bells()
    relay.tried = [
        Tried(id=one.id, name=one.name, here=one.here, outcome=outcome, kind=kind)
        for one, (outcome, kind) in zip(
            relay.bells,
            [
                (PushTry.ACCEPTED, ""),
                (PushTry.UNANSWERED, "timeout"),
                (PushTry.DEAD, "http_410"),
                (PushTry.REFUSED, "http_403"),
            ],
            strict=True,
        )
    ]
    page = await enter(at_the_relay, "bell")
    await page.get_by_test_id("bell-test").click()
    said = page.locator("[data-tried]")
    await expect(said).to_have_count(4)
    texts = await said.all_inner_texts()
    assert [one.name in text for one, text in zip(relay.bells, texts, strict=True)] == [True] * 4
    assert "http_403" in texts[3]
    relay.refused = ErrorCode.RATE_LIMITED
    await page.get_by_test_id("bell-test").click()
    await expect(page.get_by_role("alert").filter(has_text=":")).to_be_visible()
    await expect(said).to_have_count(0)


async def test_a_bell_that_went_silent_asks_to_be_switched_on_again(
    at_the_relay: Shell, relay: RelayDoor
) -> None:
    relay.lost_at = bells()[2].seen_at
    await at_the_relay.page.goto(at_the_relay.address)
    line = at_the_relay.page.locator("[data-bell-line=off]")
    await expect(line.get_by_role("alert")).to_contain_text("gone silent")
    await expect(line.get_by_test_id("bell-on")).to_have_text("Switch on again")


async def test_a_blocked_bell_says_how_to_unblock_and_notices_that_it_was(
    at_the_relay: Shell,
) -> None:
    session = await at_the_relay.context.new_cdp_session(at_the_relay.page)

    async def permission(setting: str) -> None:
        await session.send(
            "Browser.setPermission",
            {
                "permission": {"name": "notifications"},
                "setting": setting,
                "origin": at_the_relay.address,
            },
        )

    await permission("denied")
    page = await enter(at_the_relay, "bell")
    await expect(page.locator("[data-bell-said=blocked]")).to_be_visible()
    await expect(page.locator("[data-steps=chrome] li")).to_have_count(3)
    await permission("prompt")
    await expect(page.locator("[data-bell-said=off]")).to_be_visible()


IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS {} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.4 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("system", "at_relay", "why"),
    [
        ("18_4", True, "home_screen"),
        ("16_3", True, "ios_old"),
        # Nothing would ring there, on the Home Screen either.
        ("18_4", False, "room_page"),
    ],
)
async def test_an_iphone_is_led_to_where_it_can_ring(
    at_the_relay: Shell, relay: RelayDoor, system: str, *, at_relay: bool, why: str
) -> None:
    if not at_relay:
        relay.wishes, relay.push_key = None, None
    session = await at_the_relay.context.new_cdp_session(at_the_relay.page)
    agent = {"userAgent": IPHONE.format(system)}
    await session.send("Emulation.setUserAgentOverride", agent)
    await at_the_relay.page.add_init_script("delete window.PushManager; delete window.Notification")
    page = await enter(at_the_relay, "bell")
    await expect(page.locator(f"[data-bell-said=impossible][data-bell-why={why}]")).to_be_visible()
    steps = page.locator("[data-steps=home_screen] li")
    await expect(steps).to_have_count(4 if why == "home_screen" else 0)
    await expect(page.get_by_test_id("bell-switch")).to_have_count(0)


async def test_what_was_read_elsewhere_leaves_the_systems_list_when_the_app_starts(
    at_the_relay: Shell, relay: RelayDoor
) -> None:
    page = at_the_relay.page
    await at_the_relay.context.grant_permissions(["notifications"], origin=at_the_relay.address)
    await page.goto(at_the_relay.address)
    read, pushed = (
        told(number, NoticeKind.DONE, [(5, state, "")])
        for number, state in ((1, DeliveryState.READ), (2, DeliveryState.PUSHED))
    )
    listed = [read.notice.id, pushed.notice.id]
    await page.evaluate(
        """async tags => {
            const registration = await navigator.serviceWorker.ready;
            for (const tag of tags) await registration.showNotification("x", { tag });
        }""",
        listed,
    )
    await page.wait_for_function(LISTED, arg=sorted(listed), polling=50)
    relay.notices = [pushed, read]
    await page.reload()
    await page.wait_for_function(LISTED, arg=[pushed.notice.id], polling=50)


async def test_what_was_read_elsewhere_leaves_a_page_whose_connection_was_lost(
    at_the_relay: Shell, relay: RelayDoor
) -> None:
    page = at_the_relay.page
    await page.goto(at_the_relay.address)
    await page.locator("[data-screen=room][data-connection=live]").wait_for()
    read, shown = (
        told(number, NoticeKind.DONE, [(5, state, "")])
        for number, state in ((1, DeliveryState.READ), (2, DeliveryState.SHOWN))
    )
    for one in (read, shown):
        await relay.tell(NoticeFrame.model_validate(one.notice.model_dump()))
        await expect(page.locator(f"[data-notice-id='{one.notice.id}']")).to_be_visible()
    relay.notices = [shown, read]
    await relay.restart()
    await expect(page.locator(f"[data-notice-id='{read.notice.id}']")).to_have_count(
        0, timeout=20_000
    )
    await expect(page.locator(f"[data-notice-id='{shown.notice.id}']")).to_be_visible()


LISTED = """async wanted => {
    const registration = await navigator.serviceWorker.ready;
    const listed = (await registration.getNotifications()).map(({ tag }) => tag).sort();
    return listed.join() === wanted.join();
}"""
