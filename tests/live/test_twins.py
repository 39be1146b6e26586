"""What prevents a loss, and beside it the loss without it: each mechanism is switched off once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from laundryd.live.channel import Channel
from laundryd.live.client import LiveClient
from laundryd.live.connection import Connection
from laundryd.live.resume import Joining
from laundryd.live.session_ids import SessionIds
from laundryd.live.sessions import Sessions
from laundryd.wire import frames
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position
from tests.live.stage import (
    EPOCH,
    ROOM,
    Stage,
    StartLive,
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
