"""What was missed is read and encoded once for all who missed the same, and is never stale."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laundryd.live import replays as module
from laundryd.live.replays import Replay, Replays
from laundryd.live.resume import Outcome
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position
from tests.live.stage import AT, EPOCH, ROOM, make_event

LONG_AGO = AT - timedelta(days=1)


class Journal:
    def __init__(self, head: int) -> None:
        self.events = [make_event(offset) for offset in range(1, head + 1)]
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.trouble: Exception | None = None

    @property
    def head(self) -> Position:
        return at(len(self.events))

    async def since(
        self, _room: str, position: Position, limit: int
    ) -> Sequence[PublicEvent] | None:
        self.reads += 1
        await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        return self.events[position.offset :][:limit]

    def replays(self) -> Replays:
        return Replays(self.since, replay_max=30, batch_max=10)


def at(offset: int) -> Position:
    return Position(epoch=EPOCH, offset=offset)


def offsets(replay: Replay) -> list[int]:
    texts = [json.loads(frame.message["text"]) for frame in replay.frames]
    return [event["offset"] for batch in texts for event in batch["events"]]


async def test_those_who_missed_the_same_share_one_reading_and_its_frames() -> None:
    journal = Journal(25)
    replays = journal.replays()
    both = await asyncio.gather(
        *(replays.answer(ROOM, at(2), journal.head, LONG_AGO) for _ in range(50)),
        replays.answer(ROOM, at(3), journal.head, LONG_AGO),
    )
    assert journal.reads == 2
    assert offsets(both[0]) == list(range(3, 26))
    assert [len(one.frames) for one in both] == [3] * 51
    assert len({id(one) for one in both}) == 2
    assert await replays.answer(ROOM, at(2), journal.head, LONG_AGO) is both[0]


async def test_a_newer_head_is_read_anew() -> None:
    journal = Journal(5)
    replays = journal.replays()
    assert offsets(await replays.answer(ROOM, at(4), journal.head, LONG_AGO)) == [5]
    journal.events.append(make_event(6))
    assert offsets(await replays.answer(ROOM, at(4), journal.head, LONG_AGO)) == [5, 6]


async def test_the_same_offsets_of_another_epoch_or_room_are_another_question() -> None:
    journal = Journal(5)
    replays = journal.replays()
    await replays.answer(ROOM, at(4), journal.head, LONG_AGO)
    await replays.answer("maple-hall.attic", at(4), journal.head, LONG_AGO)
    assert journal.reads == 2
    other = Position(epoch="e2", offset=4)
    answer = await replays.answer(ROOM, other, journal.head, LONG_AGO)
    assert answer.resumption.outcome is Outcome.OTHER_EPOCH


async def test_what_needs_no_history_reads_none() -> None:
    journal = Journal(5)
    replays = journal.replays()
    found = [
        await replays.answer(ROOM, named, journal.head, LONG_AGO) for named in (None, at(5), at(6))
    ]
    assert [one.resumption.outcome for one in found] == [
        Outcome.NONE_NAMED,
        Outcome.UP_TO_DATE,
        Outcome.FROM_THE_FUTURE,
    ]
    assert journal.reads == 0


async def test_too_many_are_not_replayed_and_not_kept() -> None:
    journal = Journal(31)
    replays = journal.replays()
    for _ in range(2):
        answer = await replays.answer(ROOM, at(0), journal.head, LONG_AGO)
        assert answer.resumption.outcome is Outcome.TOO_MANY
        assert answer.frames == ()
    assert journal.reads == 2


async def test_what_is_kept_grows_too_old_to_be_replayed() -> None:
    journal = Journal(5)
    replays = journal.replays()
    assert offsets(await replays.answer(ROOM, at(4), journal.head, AT)) == [5]
    late = await replays.answer(ROOM, at(4), journal.head, AT + timedelta(seconds=1))
    assert (late.resumption.outcome, late.frames) == (Outcome.TOO_OLD, ())
    assert journal.reads == 1


async def test_a_failure_is_told_to_who_waited_and_the_next_reads_again() -> None:
    journal = Journal(5)
    replays = journal.replays()
    journal.trouble = OSError("the disk is gone")
    both = await asyncio.gather(
        *(replays.answer(ROOM, at(1), journal.head, LONG_AGO) for _ in range(2)),
        return_exceptions=True,
    )
    assert [str(error) for error in both] == ["the disk is gone"] * 2
    journal.trouble = None
    assert offsets(await replays.answer(ROOM, at(1), journal.head, LONG_AGO)) == [2, 3, 4, 5]


async def test_a_connection_that_ends_does_not_take_the_answer_from_others() -> None:
    journal = Journal(5)
    replays = journal.replays()
    journal.gate.clear()
    one, other = (
        asyncio.create_task(replays.answer(ROOM, at(1), journal.head, LONG_AGO)) for _ in range(2)
    )
    await asyncio.sleep(0)
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    journal.gate.set()
    assert offsets(await other) == [2, 3, 4, 5]


async def test_the_longest_unused_goes_when_there_is_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "KEPT_EVENTS_MAX", 25)
    journal = Journal(10)
    replays = journal.replays()
    for position in (0, 1, 0, 2):  # ten, nine, again ten, eight: the nine go
        await replays.answer(ROOM, at(position), journal.head, LONG_AGO)
    assert journal.reads == 3
    await replays.answer(ROOM, at(0), journal.head, LONG_AGO)
    assert journal.reads == 3
    await replays.answer(ROOM, at(1), journal.head, LONG_AGO)
    assert journal.reads == 4


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=40))
def test_any_answer_brings_exactly_what_is_between_position_and_floor(
    steps: list[tuple[bool, int]],
) -> None:
    async def run() -> None:
        journal = Journal(3)
        replays = journal.replays()
        for happens, offset in steps:
            if happens:
                journal.events.append(make_event(len(journal.events) + 1))
                continue
            answer = await replays.answer(ROOM, at(offset), journal.head, LONG_AGO)
            if answer.resumption.recovered:
                floor = answer.resumption.floor.offset
                assert floor == len(journal.events)
                assert offsets(answer) == list(range(offset + 1, floor + 1))
            else:
                assert answer.frames == ()

    asyncio.run(run())
