"""What staff announces in the room: shown until it ends, over restarts, and acknowledged like any notice."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.local import announced
from edge.local.announced import DOCUMENT, Announced
from edge.store.edge_store import EdgeStore
from laundryd.wire.announcements import (
    AnnouncementKind,
    AnnouncementText,
    ShownAnnouncement,
    announcement_notice,
    occurrence_id,
)
from laundryd.wire.events import AckKind
from laundryd.wire.ids import Position
from laundryd.wire.notices import Lang, NoticeCard, NoticeKind, derive
from laundryd.wire.uplink import DownAnnouncement
from tests.cloud_relay.world import HandClock, eventually, running

ROOM = "maple-hall.basement"
BEGAN = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def said(minutes: float = 60, name: str = "a" * 16) -> ShownAnnouncement:
    text = AnnouncementText(title="Water off", body="Until noon.")
    return ShownAnnouncement(
        id=occurrence_id(name, BEGAN),
        kind=AnnouncementKind.MAINTENANCE,
        texts={Lang.EN: text, Lang.KO: text},
        urgent=False,
        since=BEGAN,
        until=BEGAN + timedelta(minutes=minutes),
    )


@dataclass
class Pages:
    """Stands where the room's sockets stand."""

    shown: list[int] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)
    board: Announced | None = None

    def shows(self, _room: str) -> int:
        assert self.board is not None
        self.shown.append(len(self.board.shown()))
        return 1

    def notify(self, card: NoticeCard, resident: str) -> int:
        self.notices.append((resident, card.id))
        return 1


@dataclass
class Life:
    store: EdgeStore
    board: Announced
    pages: Pages
    clock: HandClock


@asynccontextmanager
async def life(folder: Path, clock: HandClock | None = None) -> AsyncIterator[Life]:
    store = await EdgeStore.open(folder / "room.db")
    clock = clock or HandClock()
    try:
        board = Announced(ROOM, store.documents, store.room, clock)
        await board.load()
        pages = Pages(board=board)
        board.bind(pages)
        yield Life(store, board, pages, clock)
    finally:
        await store.close()


async def test_it_is_shown_until_its_end_over_restarts_without_the_cloud(tmp_path: Path) -> None:
    async with life(tmp_path) as one:
        await one.board.take(DownAnnouncement(shown=[said(60)]))
        assert one.board.shown() == [said(60)]
    async with life(tmp_path) as one:
        one.clock.forward(59 * 60)
        assert one.board.shown() == [said(60)]
        one.clock.forward(60)
        assert one.board.shown() == []
    late = HandClock()
    late.forward(3_700)
    async with life(tmp_path, late) as one:
        assert one.board.shown() == [], "nor after a start that came after its end"


async def test_pages_are_told_when_it_comes_and_when_it_is_taken_back(tmp_path: Path) -> None:
    async with life(tmp_path) as one, running(one.board.run()):
        await one.board.take(DownAnnouncement(shown=[said(60)]))
        await eventually(lambda: one.pages.shown == [1], "told that it is shown")
        await one.board.take(DownAnnouncement(shown=[said(60)]))
        await one.board.take(DownAnnouncement(shown=[]))
        await eventually(lambda: one.pages.shown == [1, 0], "told that it is taken back, once each")


async def test_pages_are_told_when_it_ends_by_itself(tmp_path: Path) -> None:
    async with life(tmp_path) as one, running(one.board.run()):
        one.clock.forward(3_599.9)
        await one.board.take(DownAnnouncement(shown=[said(60), said(90, "b" * 16)]))
        await eventually(lambda: one.pages.shown == [2], "told that both are shown")
        one.clock.forward(1)
        await eventually(lambda: one.pages.shown == [2, 1], "told that one has ended")


async def test_an_end_that_a_set_clock_brought_near_is_noticed_though_nothing_else_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announced, "LOOK_AGAIN_S", 0.05)
    async with life(tmp_path) as one, running(one.board.run()):
        await one.board.take(DownAnnouncement(shown=[said(60)]))
        await eventually(lambda: one.pages.shown == [1], "told that it is shown")
        # By now it sleeps until the end, an hour away by the clock of before, and nobody wakes it.
        one.clock.forward(3_600)
        await eventually(lambda: one.pages.shown == [1, 0], "told that it has ended")


async def test_what_cannot_be_kept_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with life(tmp_path) as one:

        async def full(_name: str, _body: str) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(one.store.documents, "put", full)
        await one.board.take(DownAnnouncement(shown=[said()]))
        assert one.board.shown() == [said()]


async def test_what_was_kept_wrongly_is_forgotten(tmp_path: Path) -> None:
    async with life(tmp_path) as one:
        await one.store.documents.put(DOCUMENT, '{"shown": [{"id": 1}]}')
    async with life(tmp_path) as one:
        assert one.board.shown() == []


async def test_a_notice_of_the_relays_is_told_once_and_can_be_acknowledged(tmp_path: Path) -> None:
    notice = announcement_notice(said(), room=ROOM, resident="anna", silent=False)
    async with life(tmp_path) as one:
        await one.board.take_notice(notice)
        await one.board.take_notice(notice)
        assert one.pages.notices == [("anna", notice.id)]
        room = one.store.room
        assert await room.acknowledgeable(notice.id, "anna", AckKind.SHOWN)
        assert [card.id for card in await room.pending_notices("anna", BEGAN)] == [notice.id]


async def test_a_notice_that_the_room_derives_itself_is_not_taken_from_the_relay(
    tmp_path: Path,
) -> None:
    done = derive(
        NoticeKind.DONE,
        room=ROOM,
        position=Position(epoch="e", offset=1),
        machine="w1",
        resident="anna",
        params={"name": "W1"},
        at=BEGAN,
    )
    async with life(tmp_path) as one:
        await one.board.take_notice(done)
        assert one.pages.notices == []
        assert not await one.store.room.acknowledgeable(done.id, "anna", AckKind.SHOWN)
