"""The room page in a real browser: every phase, who is told what, and what a tap sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from laundryd.wire.commands import CommandError, CommandName
from laundryd.wire.errors import ErrorCode
from laundryd.wire.events import PublicEvent
from laundryd.wire.frames import Batch, MyWatch, NoticeFrame
from laundryd.wire.ids import Position
from laundryd.wire.machines import MachineKind, Programme
from laundryd.wire.notices import ACTIONS, ActionId, Lang, NoticeKind, derive
from laundryd.wire.phases import Cause, Phase, Sensor
from tests.live.stage import eventually

from .room_door import ROOM, RoomDoor, in_minutes, machine

if TYPE_CHECKING:
    from .conftest import Shell

pytestmark = pytest.mark.e2e
PHONE = {"width": 360, "height": 780}
WALL = {"width": 1920, "height": 1080}
TOUCH_PX = 44
"""WCAG 2.5.5: what a finger hits."""

SMALL = """minimum => [...document.querySelectorAll('button')]
    .filter(button => button.checkVisibility())
    .filter(button => button.getBoundingClientRect().height < minimum)
    .map(button => button.outerHTML)"""


async def enter(shell: Shell, size: dict[str, int] = PHONE) -> Page:
    await shell.page.set_viewport_size({"width": size["width"], "height": size["height"]})
    await shell.page.goto(shell.address)
    await shell.page.locator("[data-screen=room][data-connection=live]").wait_for()
    return shell.page


def every_phase(door: RoomDoor) -> None:
    """One machine of each phase and standing; the reader's are ``w1`` to ``w4``."""
    owned = {"has_owner": True}
    door.machines = [
        machine("w1", Phase.CLAIMED),
        machine("w2", Phase.ARRIVED),
        machine("w3", Phase.IN_USE, **owned, ends_at=in_minutes(12.2)),
        machine("w4", Phase.FINISHED, **owned, pickup_requested_at=in_minutes(-1)),
        machine("w5", Phase.CLAIMED),
        machine("w6", Phase.ARRIVED),
        machine("w7", Phase.IN_USE, **owned, ends_at=in_minutes(40.2), ends_confidence=0.4),
        machine("w8", Phase.FINISHED, **owned),
        machine("w9", Phase.IN_USE, sensor=Sensor.SILENT),
        machine("d1", Phase.FINISHED),
        machine("d2", Phase.FREE, fault_reported_at=in_minutes(-90)),
        machine("d3", Phase.OUT_OF_ORDER),
        machine("d4", Phase.IN_USE, **owned, ends_at=in_minutes(0.5), ends_confidence=0.9),
    ]
    door.owned("w3", "w4", held=("w1", "w2"))


@pytest.mark.parametrize("lang", list(Lang))
async def test_every_phase_is_said_and_fits_a_small_phone(
    at_the_room: Shell, door: RoomDoor, lang: Lang
) -> None:
    every_phase(door)
    door.lang = lang
    page = await enter(at_the_room)
    said = {
        view.machine: await page.locator(f"[data-machine={view.machine}] .phase").inner_text()
        for view in door.machines
    }
    others = {name: text for name, text in said.items() if name not in {"w7", "d4"}}
    assert len(set(others.values())) == len(others), "two standings are said in the same words"
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert await page.evaluate(SMALL, TOUCH_PX) == []
    assert "{" not in await page.inner_text("main")
    assert at_the_room.complaints == []


async def test_minutes_are_said_as_surely_as_they_are_known(
    at_the_room: Shell, door: RoomDoor
) -> None:
    every_phase(door)
    page = await enter(at_the_room)
    times = {
        name: page.locator(f"[data-machine={name}] .time") for name in ("w3", "w7", "w9", "d4")
    }
    await expect(times["w3"]).to_contain_text("about 12 min left")
    await expect(times["w7"]).to_have_text("perhaps 25 to 55 min left")
    await expect(times["w9"]).to_have_text("running for 30 min")
    await expect(times["d4"]).to_have_text("any minute now")


async def test_a_plug_that_falls_silent_is_said_with_the_time(
    at_the_room: Shell, door: RoomDoor
) -> None:
    every_phase(door)
    page = await enter(at_the_room)
    await expect(page.locator("[data-machine=w9] [data-mark=silent]")).to_contain_text("right now")
    seen = {"sensor": Sensor.SILENT, "silent_since": in_minutes(-14)}
    silent = door.machines[6].model_copy(update=seen)
    event = PublicEvent(
        room=ROOM,
        epoch="e1",
        offset=2,
        follows=1,
        at=in_minutes(0),
        cause=Cause.SENSOR_CHANGED,
        machine=silent,
    )
    await door.tell(Batch(events=[event]))
    await expect(page.locator("[data-machine=w7] [data-mark=silent]")).to_contain_text("since")


async def test_a_fault_is_written_counted_sent_and_answered(
    at_the_room: Shell, door: RoomDoor
) -> None:
    every_phase(door)
    page = await enter(at_the_room)
    more = page.locator("[data-machine=d2]").get_by_test_id("more")
    await more.click()
    await page.locator("[data-machine=d2] [data-command=report_fault]").click()
    text = page.get_by_test_id("fault-text")
    await text.fill("  no ")
    await page.get_by_test_id("fault-send").click()
    await expect(text).to_have_attribute("aria-invalid", "true")
    assert door.commands == []
    await text.fill("  It does not heat. ")
    await expect(page.get_by_text("17 of 200")).to_be_visible()
    door.refusal = CommandError(code=ErrorCode.RATE_LIMITED, message="", retry_after_s=60)
    await page.get_by_test_id("fault-send").click()
    form = page.get_by_test_id("fault-form")
    await expect(form.locator("[data-refusal=rate_limited]")).to_contain_text("from")
    await expect(text).to_have_value("  It does not heat. ")
    door.refusal = None
    await page.get_by_test_id("fault-send").click()
    await page.get_by_test_id("fault-done").click()
    assert [(said.name, said.params.text) for said in door.commands] == [
        (CommandName.REPORT_FAULT, "It does not heat."),
    ] * 2
    await expect(more).to_be_focused()


async def test_a_start_names_a_programme_of_the_machines_kind(
    at_the_room: Shell, door: RoomDoor
) -> None:
    every_phase(door)
    door.programmes = [
        Programme(programme="cotton", kind=MachineKind.WASHER, name="Cotton", minutes=70),
        Programme(programme="cupboard", kind=MachineKind.DRYER, name="Cupboard dry", minutes=90),
    ]
    page = await enter(at_the_room)
    await page.locator("[data-machine=w2] [data-command=start]").click()
    choice = page.locator("[data-machine=w2] [data-programme]")
    await expect(choice).to_have_count(1)
    await choice.click()
    await expect(page.locator("[data-machine=w2] [data-accepted=start]")).to_be_attached()
    (said,) = door.commands
    assert (said.name, said.params.programme, said.params.minutes) == (
        CommandName.START,
        "cotton",
        None,
    )


async def test_who_was_asked_to_collect_says_that_they_come(
    at_the_room: Shell, door: RoomDoor
) -> None:
    every_phase(door)
    page = await enter(at_the_room)
    await expect(page.locator("[data-machine=w4] [data-mark=asked]")).to_be_visible()
    await page.locator("[data-machine=w4] [data-command=coming]").click()
    await expect(page.locator("[data-machine=w4] [data-accepted=coming]")).to_be_visible()
    assert [said.name for said in door.commands] == [CommandName.COMING]


async def test_waiting_for_a_kind_from_the_line_to_the_turn(
    at_the_room: Shell, door: RoomDoor
) -> None:
    door.machines = [machine("w5", Phase.CLAIMED), machine("d2", Phase.FREE)]
    page = await enter(at_the_room)
    washers, dryers = page.locator("[data-kind=washer]"), page.locator("[data-kind=dryer]")
    await expect(dryers.locator("[data-watch=idle]")).to_be_attached()
    await washers.locator("[data-watch=offered] [data-command=watch]").click()
    await expect(washers.locator("[data-accepted=watch]")).to_be_attached()
    waits = MyWatch(room=ROOM, kind=MachineKind.WASHER)
    await door.tell(door.mine.model_copy(update={"watches": [waits]}))
    await expect(washers.locator("[data-watch=waiting]")).to_be_visible()
    told = waits.model_copy(update={"told_until": in_minutes(3)})
    await door.tell(door.mine.model_copy(update={"watches": [told]}))
    await expect(washers.locator("[data-watch=first]")).to_contain_text("told first until")
    await expect(washers.locator("[data-command=unwatch]")).to_be_visible()


async def test_a_room_that_runs_from_memory_says_so(at_the_room: Shell, door: RoomDoor) -> None:
    door.machines, door.durable = [machine("w1", Phase.FREE)], False
    page = await enter(at_the_room)
    await expect(page.locator("[data-banner=not-durable]")).to_be_visible()


async def test_a_wall_counts_what_is_free_in_large_type(at_the_room: Shell, door: RoomDoor) -> None:
    every_phase(door)
    page = await enter(at_the_room, WALL)
    counts = page.locator(".overview [data-free]")
    await expect(counts).to_have_text(["0 of 9 free", "1 of 4 free"])
    for large in (counts.first, page.locator("[data-machine=d2] .phase")):
        size = await large.evaluate("seen => parseFloat(getComputedStyle(seen).fontSize)")
        assert size >= 30, "not to be read from across the room"


def told(number: int, kind: NoticeKind, name: str) -> NoticeFrame:
    """Return a notice as the room's page gets it."""
    card = derive(
        kind,
        room=ROOM,
        position=Position(epoch="e1", offset=number),
        machine=name,
        resident="r",
        params={"name": f"washer {name}"},
        at=in_minutes(-1),
    ).card()
    return NoticeFrame.model_validate(card.model_dump())


@pytest.mark.parametrize("lang", list(Lang))
async def test_a_notices_button_sends_its_command_and_deals_with_it(
    at_the_room: Shell, door: RoomDoor, lang: Lang
) -> None:
    every_phase(door)
    door.lang = lang
    page = await enter(at_the_room)
    asked, done = told(2, NoticeKind.PICKUP_REQUESTED, "w4"), told(3, NoticeKind.DONE, "w8")
    await door.tell(asked)
    await door.tell(done)
    notice = page.locator(f"[data-notice-id='{asked.id}']")
    await expect(notice.locator("[data-action]")).to_have_count(2)
    coming = notice.locator("[data-action=coming]")
    await expect(coming).to_have_text(ACTIONS[ActionId.COMING].label[lang])
    # Somebody else's by now: it offers nothing.
    other = page.locator(f"[data-notice-id='{done.id}']")
    await expect(other).to_be_visible()
    await expect(other.locator("[data-action]")).to_have_count(0)
    assert await page.evaluate(SMALL, TOUCH_PX) == []
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    door.refusal = CommandError(code=ErrorCode.NOBODY_ASKED, message="")
    await coming.click()
    await expect(notice.locator("[data-refusal=nobody_asked]")).to_be_visible()
    door.refusal = None
    await coming.click()
    await expect(notice).to_have_count(0)
    assert [(said.machine, said.name) for said in door.commands] == [
        ("w4", CommandName.COMING),
    ] * 2
    assert at_the_room.complaints == []


async def test_what_a_push_told_stands_in_the_list_and_is_not_announced(
    at_the_room: Shell, door: RoomDoor
) -> None:
    every_phase(door)
    page = await enter(at_the_room)
    news, pushed = told(2, NoticeKind.PICKUP_REQUESTED, "w4"), told(3, NoticeKind.DONE, "w8")
    await door.tell(news)
    await door.tell(pushed.model_copy(update={"told": True}))
    spoken = page.locator("[role=log] [data-notice-id]")
    await expect(page.locator(f"[data-notice-id='{pushed.id}'][data-notice-told]")).to_be_visible()
    await expect(spoken).to_have_count(1)
    await expect(spoken).to_have_attribute("data-notice-id", news.id)
    assert at_the_room.complaints == []


async def test_a_room_that_does_not_know_its_residents_yet_signs_nobody_out(
    at_the_room: Shell, door: RoomDoor
) -> None:
    door.machines = [machine("w1", Phase.FREE)]
    door.awaits_roster = True
    page = at_the_room.page
    await page.goto(at_the_room.address)
    said = page.locator("[data-screen=away] [role=status]")
    await expect(said).to_contain_text("코드를 다시 입력하지 않아도 돼요")
    door.awaits_roster = False
    await page.locator("[data-screen=away] button.primary").click()
    await page.locator("[data-screen=room][data-connection=live]").wait_for()

    door.awaits_roster = True
    await door.restart()
    await eventually(lambda: door.put_off > 0)
    await expect(page.locator("[data-screen=room]")).to_be_visible()
    await expect(page.locator("[data-machine=w1]")).to_be_visible()
    door.awaits_roster = False
    await page.locator("[data-screen=room][data-connection=live]").wait_for()
    # Browsers say of each refused handshake that it was.
    assert [one for one in at_the_room.complaints if "WebSocket" not in one] == []
