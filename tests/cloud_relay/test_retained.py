"""Documents that wait for edges at the broker: each is there, once, and again after a connect."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence

import pytest
from typing_extensions import override

from cloud_relay import retained
from cloud_relay.retained import RetainedDocuments
from laundryd.wire.ids import RoomKey
from laundryd.wire.topics import Topic
from tests.cloud_relay.world import ROOM, Link, eventually, running

ATTIC = "maple-hall.attic"


class Papers(RetainedDocuments):
    """Documents in memory; ``made`` names those that were asked for."""

    def __init__(self, link: Link) -> None:
        super().__init__(link, Topic.DOWN_ROSTER)
        self.papers: dict[RoomKey, bytes] = {ROOM: b"one"}
        self.made: list[RoomKey] = []

    @override
    async def rooms(self) -> Sequence[RoomKey]:
        return sorted(self.papers)

    @override
    async def document(self, room: RoomKey) -> bytes:
        self.made.append(room)
        return self.papers[room]


def bodies(link: Link) -> list[bytes]:
    return [payload for _, payload in link.sent]


async def test_what_is_new_is_published_once_and_all_again_at_each_connect() -> None:
    link = Link()
    papers = Papers(link)
    assert [await papers.publish_new() for _ in range(2)] == [1, 0]
    papers.papers[ROOM] = b"two"
    assert await papers.publish_new() == 1
    papers.connected()
    assert await papers.publish_new() == 1
    assert bodies(link) == [b"one", b"two", b"two"]
    assert dict(papers.counts) == {"sent": 3}


async def test_what_did_not_arrive_is_missing_there_though_another_one_did_before() -> None:
    link = Link()
    papers = Papers(link)
    await papers.publish_new()
    papers.papers[ROOM] = b"two"
    link.confirms = False
    assert await papers.publish_new() == 0
    link.confirms = True
    assert await papers.publish_new(missing_only=True) == 1
    assert dict(papers.counts) == {"sent": 2, "unsent": 1}


async def test_between_changes_only_rooms_without_a_document_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retained, "LOOK_AGAIN_S", 0.01)
    link = Link()
    papers = Papers(link)
    beats = 0

    def beat() -> None:
        nonlocal beats
        beats += 1

    async with running(papers.run(beat)):
        await eventually(lambda: bodies(link) == [b"one"], "the first")
        papers.papers[ATTIC] = b"new"  # by another process, which tells nobody
        await eventually(lambda: bodies(link) == [b"one", b"new"], "a room that came")
        seen = beats
        await eventually(lambda: beats > seen + 5, "some looks more")
        assert papers.made == [ROOM, ATTIC]
        papers.papers[ROOM] = b"two"
        papers.changed()
        await eventually(lambda: bodies(link) == [b"one", b"new", b"two"], "what was changed")


async def test_what_an_edge_does_not_have_is_published_again_and_nothing_else_is_looked_at() -> (
    None
):
    link = Link()
    papers = Papers(link)
    papers.papers[ATTIC] = b"new"
    async with running(papers.run()):
        await eventually(lambda: len(link.sent) == 2, "both")
        papers.missing(ROOM)
        await eventually(lambda: len(link.sent) == 3, "the one that is missing")
    assert bodies(link)[-1] == b"one"
    assert papers.made == [ATTIC, ROOM, ROOM]


async def test_a_change_while_there_is_no_link_is_not_forgotten() -> None:
    link = Link()
    papers = Papers(link)
    async with running(papers.run()):
        await eventually(lambda: bodies(link) == [b"one"], "the first")
        link.up = False
        papers.papers[ROOM] = b"two"
        papers.changed()
        await asyncio.sleep(0)
        link.up = True
        papers.missing(ATTIC)  # which wakes it, and is about another room
        await eventually(lambda: bodies(link) == [b"one", b"two"], "what changed meanwhile")


async def test_all_are_looked_at_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retained, "LOOK_AGAIN_S", 0.01)
    monkeypatch.setattr(retained, "LOOK_AT_ALL_S", 0.03)
    link = Link()
    papers = Papers(link)
    async with running(papers.run()):
        await eventually(lambda: bodies(link) == [b"one"], "the first")
        papers.papers[ROOM] = b"two"
        await eventually(lambda: bodies(link) == [b"one", b"two"], "what nobody told")


async def test_a_database_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retained, "LOOK_AGAIN_S", 0.01)
    link = Link()
    papers = Papers(link)
    refusals = [sqlite3.OperationalError("database or disk is full")] * 2
    make = papers.document

    async def full(room: RoomKey) -> bytes:
        if refusals:
            raise refusals.pop()
        return await make(room)

    monkeypatch.setattr(papers, "document", full)
    async with running(papers.run()):
        await eventually(lambda: bodies(link) == [b"one"], "the disk has room again")


async def test_a_link_that_is_down_is_waited_for() -> None:
    link = Link(up=False)
    papers = Papers(link)
    async with running(papers.run()):
        await asyncio.sleep(0)
        assert papers.made == []
        link.up = True
        papers.connected()
        await eventually(lambda: bodies(link) == [b"one"], "the first connect")
