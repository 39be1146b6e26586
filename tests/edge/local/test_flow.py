"""The resident's flow at the room's own page: programmes, waiting, and what was reported of a machine."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import httpx
import pytest

from laundryd.wire import frames
from laundryd.wire.errors import ErrorCode
from laundryd.wire.machines import MachineKind
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Cause
from tests.edge.local.conftest import OpenRoom
from tests.edge.local.test_bad_input import assert_problem
from tests.edge.local.test_live_socket import Page, batches, notices, page_of
from tests.edge.running import ROOM

ROOM_URL = f"/api/v1/rooms/{ROOM.key}"


def say(who: httpx.Client, machine: str, name: str, **params: object) -> httpx.Response:
    return who.post(
        f"{ROOM_URL}/machines/{machine}/{name}", json={"id": uuid.uuid4().hex, **params}
    )


async def said(who: httpx.Client, machine: str, name: str, **params: object) -> None:
    answer = await asyncio.to_thread(say, who, machine, name, **params)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def full_room(open_room: OpenRoom) -> Iterator[OpenRoom]:
    """Ben has both washers."""
    for machine in ("w1", "w2"):
        answer = say(open_room.ben, machine, "start", programme="wool")
        assert answer.status_code == 200, answer.text
    yield open_room
    for machine in ("w1", "w2"):
        say(open_room.ben, machine, "release")


async def mine(page: Page) -> frames.Mine:
    found = (await page.until("mine"))[-1]
    assert isinstance(found, frames.Mine)
    return found


def test_a_programme_is_listed_shown_and_ends_at_its_time(full_room: OpenRoom) -> None:
    shown = full_room.anna.get(ROOM_URL).json()
    listed = {"programme": "wool", "kind": "washer", "name": "Wool 30", "minutes": 35}
    assert shown["programmes"] == [listed]
    w2 = next(one for one in shown["machines"] if one["machine"] == "w2")
    assert w2["programme"] == "wool"
    assert w2["ends_at"] is not None
    assert w2["ends_confidence"] is None


def test_a_programme_of_another_kind(open_room: OpenRoom) -> None:
    answer = say(open_room.ben, "d1", "start", programme="wool")
    assert_problem(answer, ErrorCode.UNKNOWN_PROGRAMME)


def test_a_programme_and_minutes_at_once(open_room: OpenRoom) -> None:
    answer = say(open_room.ben, "w2", "start", programme="wool", minutes=35)
    assert_problem(answer, ErrorCode.INVALID_BODY)


def test_waiting_for_what_is_free(open_room: OpenRoom) -> None:
    assert_problem(say(open_room.anna, "w2", "watch"), ErrorCode.FREE_NOW)


async def test_whoever_waits_sees_it_and_their_turn_and_nobody_else_does(
    full_room: OpenRoom,
) -> None:
    async with page_of(full_room) as page:
        assert (await mine(page)).watches == []
        await said(full_room.anna, "w1", "watch")
        (watch,) = (await mine(page)).watches
        assert (watch.room, watch.kind, watch.told_until) == (ROOM.key, MachineKind.WASHER, None)
        await said(full_room.ben, "w2", "release")
        got: list[frames.ServerFrame] = []
        while not (notices(got) and batches(got) and any(f.type == "mine" for f in got)):
            got.append(await page.next())
        (notice,) = notices(got)
        assert (notice.kind, notice.machine) == (NoticeKind.MACHINE_FREE, "w2")
        assert [one.cause for one in batches(got)[0].events] == [Cause.RELEASED]
        (turn,) = next(one for one in got if isinstance(one, frames.Mine)).watches
        assert turn.told_until is not None
        await page.send(frames.Ack(notice_ids=[notice.id]))
        await said(full_room.anna, "w1", "unwatch")
        assert (await mine(page)).watches == []
        await said(full_room.anna, "w1", "mute_pickup")
        assert (await mine(page)).pickup_muted == [ROOM.key]
        await said(full_room.anna, "w1", "unmute_pickup")
        assert (await mine(page)).pickup_muted == []


async def test_that_a_fault_was_reported_is_seen_by_all_and_its_words_by_none(
    open_room: OpenRoom,
) -> None:
    async with page_of(open_room) as page:
        await page.until("mine")
        await said(open_room.ben, "d1", "report_fault", text="burnt rubber")
        got = await page.until("batch")
    (event,) = batches(got)[0].events
    assert event.cause is Cause.FAULT_REPORTED
    assert event.machine.fault_reported_at == event.at
    assert all("rubber" not in frame.model_dump_json() for frame in got)
    assert "rubber" not in open_room.anna.get(ROOM_URL).text
    again = say(open_room.ben, "d1", "report_fault", text="still burnt")
    assert_problem(again, ErrorCode.RATE_LIMITED)
    assert 0 < int(again.headers["retry-after"]) <= 600


@pytest.mark.parametrize("params", [{}, {"text": "ab"}, {"text": "x" * 201}, {"text": "  \t a "}])
def test_a_report_that_says_nothing_or_too_much(
    open_room: OpenRoom, params: dict[str, str]
) -> None:
    answer = say(open_room.ben, "w2", "report_fault", **params)
    assert_problem(answer, ErrorCode.INVALID_BODY)


def test_words_that_only_a_finished_machine_hears(open_room: OpenRoom) -> None:
    for name in ("request_pickup", "coming", "extend"):
        answer = say(open_room.anna, "w2", name, minutes=5)
        assert_problem(answer, ErrorCode.ILLEGAL_MOVE)
