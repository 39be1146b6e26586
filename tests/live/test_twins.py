"""What prevents a loss, and beside it the loss without it: each mechanism is switched off once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from laundryd.live import resume
from laundryd.live.attention import Attention
from laundryd.live.channel import Channel
from laundryd.live.client import LiveClient
from laundryd.live.connection import Connection
from laundryd.live.hub import Hub
from laundryd.live.replays import Replay, Replays
from laundryd.live.resume import Joining
from laundryd.live.session_ids import SessionIds
from laundryd.live.sessions import Sessions
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.commands import CommandName
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position
from laundryd.wire.notices import NoticeCard
from tests.live.stage import (
    AT,
    EPOCH,
    ROOM,
    Stage,
    StartLive,
    closed,
    eventually,
    identify_text,
    make_event,
    make_notice,
)


@pytest.fixture(params=[True, False], ids=["as it is", "without it"])
def is_on(request: pytest.FixtureRequest) -> bool:
    """Whether the mechanism works; without it the test shows what goes wrong."""
    return bool(request.param)


def at(offset: int) -> dict[str, Position]:
    return {ROOM: Position(epoch=EPOCH, offset=offset)}


async def heard(client: LiveClient) -> list[int]:
    """Return the offsets of all events that came until the server has answered a ping."""
    await client.ping()
    await client.next_frame(frames.Pong)
    return [event.offset for event in client.unread_events()]


# -- live events are held while history is read


async def raw_offsets_around_a_slow_history(live: Stage) -> list[int | str]:
    """Return what a socket says when event 4 is published while the history is read."""
    for offset in range(1, 4):
        await live.publish(offset)
    live.desk.gate.clear()
    async with live.raw() as socket:
        await socket.send(identify_text(rooms={ROOM: {"epoch": EPOCH, "offset": 1}}))
        await live.desk.at_gate.wait()
        live.server.publish(make_event(4))  # too late for the history that is being read
        live.desk.gate.set()
        said: list[int | str] = []
        await socket.send('{"type":"ping"}')
        while "pong" not in said:
            frame = frames.SERVER_FRAME.validate_json(await socket.recv())
            if isinstance(frame, frames.Batch):
                said += [one.offset for one in frame.events]
            else:
                said.append(frame.type)
        return said


async def test_held_events_come_after_the_replay(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    def at_once(self: Channel, connection: Connection) -> None:
        self._live[connection] = None

    if not is_on:
        monkeypatch.setattr(Channel, "join", at_once)
    said = await raw_offsets_around_a_slow_history(await start_live(batch_ms=0))
    if is_on:
        assert said == ["welcome", 2, 3, 4, "mine", "pong"]
    else:
        assert said == [4, "welcome", 2, 3, "mine", "pong"], "before the welcome, out of order"


async def test_held_events_are_not_lost(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    offer = Joining.offer

    def not_yet(self: Joining, events: Sequence[PublicEvent]) -> Sequence[PublicEvent]:
        return () if self._floor is None else offer(self, events)

    if not is_on:
        monkeypatch.setattr(Joining, "offer", not_yet)
    said = await raw_offsets_around_a_slow_history(await start_live(batch_ms=0))
    assert (4 in said) == is_on, "recovered, and 4 never came"


# -- a recovery is whole or none


async def test_more_than_can_be_replayed_is_told_and_not_cut_short(
    start_live: StartLive, *, is_on: bool
) -> None:
    live = await start_live(replay_max=3)
    if not is_on:
        live.desk.read_max = 3  # as many as are replayed, and not the one more that is asked for
    for offset in range(1, 6):
        await live.publish(offset)
    async with live.client(rooms=at(1)) as client:
        recovered = (await client.welcomed()).rooms[ROOM].recovered
        seen = await heard(client)
        if is_on:
            assert (recovered, seen, client.needs_snapshot) == (False, [], {ROOM})
        else:
            assert (recovered, seen) == (True, [2, 3, 4]), "event 5 is lost"
            assert client.needs_snapshot == set(), "and nobody is told"


# -- generations: an old connection's late death


async def test_an_old_connections_late_death_leaves_the_new_one_its_session(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    detach = Sessions.detach

    def of_any_generation(
        self: Sessions[Connection],
        session_id: str,
        generation: int,
        *,
        now_s: float,
        on_purpose: bool,
    ) -> bool:
        session = self._by_id.get(session_id)
        newest = generation if session is None else session.generation
        return detach(self, session_id, newest, now_s=now_s, on_purpose=on_purpose)

    if not is_on:
        monkeypatch.setattr(Sessions, "detach", of_any_generation)
    live = await start_live(linger_s=0)
    # The page's first connection: the network has swallowed it, and the server does not know yet.
    async with live.raw() as old:
        await old.send(identify_text())
        welcome = frames.SERVER_FRAME.validate_json(await old.recv())
        assert isinstance(welcome, frames.Welcome)
        async with live.client(session_id=welcome.session_id) as new:
            assert (await new.welcomed()).session_id == welcome.session_id
            await old.close()  # its late death
            await eventually(lambda: live.server._crowd.open == 1)
            told = live.server.notify(make_notice("done"), "ann")
            assert told == (1 if is_on else 0), "the open page is told nothing any more"
            assert bool(live.server.sessions("ann")) == is_on, "and counts as away"


# -- notices that nobody acknowledged are pending


async def test_a_notice_that_a_dying_connection_took_is_told_again(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    async def nothing(_resident: str) -> list[object]:
        return []

    live = await start_live(backoff_first_s=0.3)
    if not is_on:
        monkeypatch.setattr(live.desk, "pending_notices", nothing)
    notice = make_notice("done")
    live.desk.pending["ann"] = [notice]
    async with live.raw() as socket:
        await socket.send(identify_text())
        await socket.recv()
        socket.transport.pause_reading()  # the phone has left the building
        live.server.notify(notice, "ann")
        socket.transport.abort()
    async with live.client() as client:
        await client.welcomed()
        await heard(client)
        told = [f.id for f in client.unread_frames() if isinstance(f, frames.NoticeFrame)]
        assert told == ([notice.id] if is_on else [])


# -- an id is one resident's


async def test_a_thief_who_comes_first_after_a_restart_gets_no_session(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    before = await start_live()
    async with before.client("ann:phone") as client:
        session_id = (await client.welcomed()).session_id
    if not is_on:
        monkeypatch.setattr(SessionIds, "is_theirs", lambda *_: True)
    live = await start_live()
    async with live.client("eve:phone", session_id=session_id) as eve:
        await eve.welcomed()
        async with live.client("ann:phone", session_id=session_id) as ann:
            assert (await ann.welcomed()).session_id == session_id
            assert live.server.notify(make_notice("done"), "ann") == (1 if is_on else 0)
            assert len(live.server.sessions("ann")) == (1 if is_on else 0)


# -- permission is checked again


async def test_history_is_not_handed_to_who_was_removed_while_it_was_read(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    live = await start_live()
    await live.publish(1)
    live.desk.gate.clear()
    async with live.client(rooms=at(0)) as client:
        await live.desk.at_gate.wait()
        live.door.left = {ROOM}
        if not is_on:

            async def as_the_handshake_said(_admission: object) -> frozenset[str]:
                return frozenset({ROOM})

            monkeypatch.setattr(live.door, "rooms_now", as_the_handshake_said)
        live.desk.gate.set()
        await client.welcomed()
        assert await heard(client) == ([] if is_on else [1])


# -- a page that comes back, its notices and what is its resident's


async def test_a_notice_told_while_pending_ones_are_read_comes_once(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    live = await start_live()
    notice, last = make_notice("done"), make_notice("last")
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_resident: str) -> list[frames.NoticeFrame]:
        reading.set()
        await go_on.wait()
        return [frames.NoticeFrame.of(one) for one in (notice, last)]

    def without_a_note(self: Hub, card: NoticeCard, resident: str) -> int:
        return self.tell_resident(resident, frames.NoticeFrame.of(card))

    monkeypatch.setattr(live.desk, "pending_notices", slow)
    if not is_on:
        monkeypatch.setattr(Hub, "notify", without_a_note)
    async with live.client() as client:
        await reading.wait()
        assert live.server.notify(notice, "ann") == 1
        go_on.set()
        await client.next_frame(frames.NoticeFrame, where=lambda frame: frame.id == last.id)
        told = [f.id for f in client.unread_frames() if isinstance(f, frames.NoticeFrame)]
    assert told == [notice.id] * (1 if is_on else 2)


async def test_an_older_reading_of_what_is_theirs_never_follows_a_newer_one(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    live = await start_live()
    new = frames.Mine(machines=[frames.MyMachine(room=ROOM, machine="washer-1")], claims=[])
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def mine(_resident: str) -> frames.Mine:
        if reading.is_set():
            return new
        reading.set()
        await go_on.wait()
        return frames.Mine(machines=[], claims=[])

    async with live.client() as client:
        await client.next_frame(frames.Mine)
        monkeypatch.setattr(live.desk, "mine", mine)
        if not is_on:
            monkeypatch.setattr(
                Hub, "tell_mine", lambda self, links, frame, _ticket: self.tell_all(links, frame)
            )
        older = asyncio.create_task(live.server.send_mine("ann"))
        await reading.wait()
        await live.server.send_mine("ann")
        go_on.set()
        await older
        await heard(client)
        shown = [f for f in client.unread_frames() if isinstance(f, frames.Mine)][-1]
    assert (shown == new) is is_on, "their running machine is not theirs any more"


async def test_a_result_finds_the_session_on_its_new_connection(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    live = await start_live()
    live.desk.command_gate.clear()
    if not is_on:
        monkeypatch.setattr(Sessions, "current", lambda *_: None)
    async with live.client() as client:
        await client.welcomed()
        command = asyncio.create_task(client.send_command(ROOM, "washer-1", CommandName.CLAIM))
        await eventually(lambda: bool(live.desk.commands))
        client.drop()
        await client.welcomed()
        live.desk.command_gate.set()
        await heard(client)
        await eventually(lambda: command.done() or not is_on)
        assert command.done() is is_on, "done, and the page waits for an answer"
        command.cancel()


# -- what is replayed is whole


async def test_a_journal_with_a_hole_recovers_nobody(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    live = await start_live()
    for offset in range(1, 5):
        await live.publish(offset)
    del live.desk.journal[ROOM][2]  # 3 was there, and the journal has lost it
    if not is_on:
        monkeypatch.setattr(
            resume, "_walk", lambda _start, events: Position(epoch=EPOCH, offset=events[-1].offset)
        )
    async with live.raw() as socket:
        await socket.send(identify_text(rooms={ROOM: {"epoch": EPOCH, "offset": 1}}))
        welcome = frames.SERVER_FRAME.validate_json(await socket.recv())
    assert isinstance(welcome, frames.Welcome)
    assert welcome.rooms[ROOM].recovered is not is_on


async def test_an_answer_that_is_shared_is_for_one_head(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    shared = Replays._shared

    async def for_any_head(self: Replays, room: str, named: Position, head: Position) -> Replay:
        kept = next((one for key, one in self._kept.items() if key[2] == named.offset), None)
        return kept or await shared(self, room, named, head)

    if not is_on:
        monkeypatch.setattr(Replays, "_shared", for_any_head)
    live = await start_live()
    for offset in (1, 2):
        await live.publish(offset)
    async with live.client("ben:phone", rooms=at(1)) as first:
        assert await heard(first) == [2]
    await live.publish(3)
    async with live.client(rooms=at(1)) as client:
        seen = await heard(client)
    assert seen == ([2, 3] if is_on else [2]), "and it was told that it has recovered"


async def test_more_than_can_be_held_gives_the_connection_up(
    start_live: StartLive, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    live = await start_live(replay_max=2, batch_ms=0)
    await live.publish(1)
    if not is_on:

        def drops(self: Joining, events: Sequence[PublicEvent]) -> Sequence[PublicEvent]:
            if self._floor is None:
                self._held = [*self._held, *events][: self._held_max]
                return ()
            return self._newer(self._floor, events)

        monkeypatch.setattr(Joining, "offer", drops)
    live.desk.gate.clear()
    async with live.raw() as socket:
        await socket.send(identify_text(rooms={ROOM: {"epoch": EPOCH, "offset": 0}}))
        await live.desk.at_gate.wait()
        for offset in range(2, 7):
            live.server.publish(make_event(offset))  # too late for the history that is being read
        live.desk.gate.set()
        if is_on:
            assert await closed(socket) == CloseCode.STARVED, "it comes back and is told all of it"
            return
        welcome = frames.SERVER_FRAME.validate_json(await socket.recv())
        assert isinstance(welcome, frames.Welcome)
        assert welcome.rooms[ROOM].recovered
        live.server.publish(make_event(7))
        seen: list[int] = []
        while 7 not in seen:
            frame = frames.SERVER_FRAME.validate_json(await socket.recv())
            if isinstance(frame, frames.Batch):
                seen += [one.offset for one in frame.events]
    assert seen == [1, 2, 3, 7], "three events never come"


async def test_a_replaced_journal_sends_everybody_for_a_snapshot(
    start_live: StartLive, *, is_on: bool
) -> None:
    live = await start_live()
    await live.publish(3)
    async with live.client(rooms=at(3)) as client:
        await client.welcomed()
        live.desk.journal[ROOM] = [make_event(1, follows=0, epoch="e2")]
        if is_on:
            live.server.room_replaced(ROOM)
            assert not (await client.welcomed()).rooms[ROOM].recovered
        await client.ping()
        await client.next_frame(frames.Pong)
        assert client.needs_snapshot == ({ROOM} if is_on else set()), "it shows the room of before"


# -- a restart of the server


def test_who_looked_looks_until_they_had_the_time_to_come_back(*, is_on: bool) -> None:
    ids = SessionIds(b"the same in both lives")

    def life() -> Sessions[str]:
        return Sessions(attentive_s=120, linger_s=5, per_resident_max=10, ids=ids)

    before, after = life(), life()
    before.attach(
        asked_id=None,
        resident="ann",
        device="phone",
        link="socket",
        attention=Attention(visible=True, touched_s=100),
        since=AT,
        now_s=100,
    )
    if is_on:
        after.restore(before.kept(100), kept_s_ago=2, now_s=0)
    looks = any(session.attentive for session in after.views("ann"))
    assert looks is is_on, "whoever asks now takes them for away, and pushes"
    after.sweep(5)
    assert not list(after.views("ann")), "and no longer than that"
