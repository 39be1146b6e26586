"""For each mechanism that prevents a loss: a course of events that it survives, and is lost without it.

The mechanism is switched off in the test's world, by putting a version that lacks it in its place.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict

import pytest
from typing_extensions import Unpack

import cloud_relay.ingest.handlers
import cloud_relay.rooms.rooms
import cloud_relay.rooms.store
import edge.link.uplink
import edge.store.room_store
import laundryd.live.following.rooms
import laundryd.live.replays
from cloud_relay.ingest import order
from cloud_relay.ingest.handlers import Handlers
from cloud_relay.notify.planner import Planner
from cloud_relay.residents.roster_publisher import RosterPublisher
from cloud_relay.rooms import state as relay_state
from edge.link.outbox import Outbox
from edge.link.uplink import Uplink
from edge.store.witness import witness_path
from laundryd.daemon.sqlite import Statement
from laundryd.live import follow, resume
from laundryd.live.door import Refusal
from laundryd.live.following.actions import Action
from laundryd.live.following.rooms import Rooms
from laundryd.live.resume import Joining
from laundryd.live.sessions import Session, Sessions
from laundryd.wire.events import Entry, PublicEvent
from laundryd.wire.frames import Welcome
from laundryd.wire.ids import Position
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import DownAck, DownHello, UpEvents
from tests.model.broker import Mode
from tests.model.programs import EdgeProcess
from tests.model.twins import loses, survives
from tests.model.world import World

# -- between edge and relay


def unchecked(patch: pytest.MonkeyPatch) -> None:
    """The relay's room takes any entry: its own checks are fences behind those tried here."""

    def apply(
        state: relay_state.RoomState, entries: Sequence[Entry], heard_at: datetime
    ) -> relay_state.Change:
        first = entries[0]
        before = Position(epoch=first.epoch, offset=first.offset - 1)
        return relay_state.apply_entries(replace(state, position=before), entries, heard_at)

    def append(room: str, events: Sequence[PublicEvent]) -> list[Statement]:
        sql = "INSERT OR REPLACE INTO room_events (room, position_offset, event) VALUES (?, ?, ?)"
        rows = [(room, event.offset, event.model_dump_json()) for event in events]
        return [(sql, rows)] if rows else []

    patch.setattr(cloud_relay.rooms.rooms, "apply_entries", apply)
    patch.setattr(cloud_relay.rooms.store, "_append", append)


class _More(TypedDict, total=False):
    """What else the judgement goes by."""

    kept_run: str | None
    before: order.Before
    word: str | None


def takes_everything(
    kept: Position | None, entries: Sequence[Entry], **more: Unpack[_More]
) -> order.Decision:
    """Judge a batch without looking at numbers."""
    judged = order.decide(kept, entries, **more)
    if kept is None or judged.answer is None or not entries or entries[0].epoch != kept.epoch:
        return judged
    answer = judged.answer.model_copy(update={"offset": entries[-1].offset, "send_from": None})
    return order.Decision(tuple(entries), answer)


def takes_beyond_a_gap(
    kept: Position | None, entries: Sequence[Entry], **more: Unpack[_More]
) -> order.Decision:
    """Judge a batch, and take what is new whether or not something before it is missing."""
    judged = order.decide(kept, entries, **more)
    new = tuple(one for one in entries if kept is not None and one.offset > kept.offset)
    if judged.answer is None or judged.answer.snapshot or not new:
        return judged
    answer = judged.answer.model_copy(update={"offset": new[-1].offset, "send_from": None})
    return order.Decision(new, answer)


def a_batch_comes_again(world: World) -> None:
    up = world.broker.way("edge up")
    up.mode = Mode.HOLD
    world.at_the_machine("cleo", "w1")
    world.do(up.deliver, 0, keep=True)
    world.advance(0.1)
    world.at_the_machine("cleo", "w1")
    world.do(up.deliver, 1, keep=False)
    world.advance(0.1)
    world.do(up.deliver, 0, keep=False)
    world.advance(0.1)


def test_what_comes_twice_takes_effect_once_at_the_relay() -> None:
    survives(a_batch_comes_again)

    def switch(patch: pytest.MonkeyPatch) -> None:
        unchecked(patch)
        patch.setattr(cloud_relay.ingest.handlers, "decide", takes_everything)
        # A minute later a hello would mend what a missing check spoilt.
        patch.setattr("edge.link.outbox.HELLO_EVERY_S", math.inf)

    loses(a_batch_comes_again, switch, found="over one connection")


def an_entry_is_missing(world: World) -> None:
    world.back_up(world.relay)
    world.at_the_machine("cleo", "w1")
    world.advance(0.1)
    world.broker.way("edge down").mode = Mode.HOLD
    world.restore(world.relay)
    world.start(world.relay)
    world.advance(1)
    for _ in range(10):  # what the relay says when it is back is lost
        world.broker.way("edge down").lose(0)
    world.do(world.broker.way("edge down").flow)
    world.at_the_machine("cleo", "w2")
    world.advance(0.1)


def test_a_gap_is_asked_for() -> None:
    survives(an_entry_is_missing)

    def switch(patch: pytest.MonkeyPatch) -> None:
        unchecked(patch)
        patch.setattr(cloud_relay.ingest.handlers, "decide", takes_beyond_a_gap)

    loses(an_entry_is_missing, switch, found="another room|never told|was told that it has all")


def a_new_store_begins(world: World) -> None:
    world.rest_s = 15  # without the snapshot edge and relay go on asking each other without a pause
    world.at_the_machine("cleo", "w1")
    world.advance(0.1)
    world.lose_store()


def test_a_new_epoch_begins_with_a_snapshot() -> None:
    survives(a_new_store_begins)
    greeted, acknowledged = Outbox.greeted, Outbox.acknowledged

    def goes_on(self: Outbox, hello: DownHello, **more: bool) -> object:
        known = hello.model_copy(update={"acked": hello.acked or 0})
        return greeted(self, known, **more)

    def sends_none(self: Outbox, ack: DownAck) -> bool:
        return acknowledged(self, ack.model_copy(update={"snapshot": False}))

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Outbox, "greeted", goes_on)
        patch.setattr(Outbox, "acknowledged", sends_none)

    loses(a_new_store_begins, switch, found="the relay keeps")


def the_relay_dies_while_it_keeps(world: World) -> None:
    """It has an event with a notice for somebody who is away, and not kept it yet."""
    world.at_the_machine("cleo", "w1")
    world.advance(59.9)
    world.disks.delay_s[world.relay.database] = 0.03
    before = len(world.accepted)
    while len(world.accepted) == before:
        world.advance(0.01)
    world.advance(0.06)
    world.kill(world.relay)
    world.at_the_machine("ben", "w2")  # now the edge forgets what it may
    world.advance(1)


def nothing_acknowledged_is_kept(patch: pytest.MonkeyPatch) -> None:
    """The edge forgets at once what is acknowledged, as it may; else it could send it again."""
    patch.setattr(edge.store.room_store, "KEPT_ACKNOWLEDGED", 0)


def test_the_relay_keeps_and_then_acknowledges(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_acknowledged_is_kept(monkeypatch)
    survives(the_relay_dies_while_it_keeps)
    keep = Handlers.events

    async def acknowledge_first(self: Handlers, room: str, batch: UpEvents) -> None:
        if batch.entries:
            last = batch.entries[-1]
            ack = DownAck(epoch=last.epoch, offset=last.offset)
            word = getattr(batch, "word", None)
            await self._say(
                room, Topic.DOWN_ACK, ack if word is None else ack.model_copy(update={"word": word})
            )
        await keep(self, room, batch)

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Handlers, "events", acknowledge_first)

    loses(the_relay_dies_while_it_keeps, switch, found="never told")


def a_room_comes_back_with_what_it_told(world: World) -> None:
    """Somebody saw in the room, without the cloud, that their laundry is done, and left."""
    room, away = world.pages[0], world.pages[2]
    world.do(away.leave)
    world.advance(10)
    world.at_the_machine("anna", "w1")
    world.advance(1)
    world.broken()
    for name in ("edge up", "edge down"):
        world.broker.way(name).mode = Mode.LOSE
    world.do(world.broker.lose_connection, "edge")
    world.advance(70)
    world.do(room.leave)
    world.advance(20)
    world.do(world.mend_links)
    world.advance(20)


def test_nothing_is_planned_for_a_room_before_it_caught_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # One entry a message: a notice and its acknowledgement do not come together.
    monkeypatch.setattr(edge.link.uplink, "MAX_ENTRIES_A_BATCH", 1)
    survives(a_room_comes_back_with_what_it_told)

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Planner, "hold", lambda _self, _room: None)

    loses(a_room_comes_back_with_what_it_told, switch, found="the room had told")


def the_rooms_clock_is_set_while_its_hello_is_under_way(world: World) -> None:
    """And then somebody without a page starts a machine: they are told in the app, for ten minutes."""
    way = world.broker.way("relay down")
    way.mode = Mode.HOLD
    world.do(world.broker.lose_connection, "edge")
    world.advance(1)
    world.set_room_clock(-3_600)
    world.do(way.flow)
    world.advance(1)
    world.at_the_machine("cleo", "w1")


def test_the_way_of_a_hello_is_measured_by_the_time_that_passed() -> None:
    survives(the_rooms_clock_is_set_while_its_hello_is_under_way)
    greeted, measured = Uplink._greeted, Uplink._measured
    heard: list[DownHello] = []

    async def hears(self: Uplink, hello: DownHello) -> None:
        heard.append(hello)
        await greeted(self, hello)

    def by_the_time_of_day(self: Uplink, _ahead: timedelta) -> None:
        said_at, now = heard[-1].echo_sent_at, self._clock.real_now()
        measured(self, heard[-1].relay_at - (said_at + (now - said_at) / 2))

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Uplink, "_greeted", hears)
        patch.setattr(Uplink, "_measured", by_the_time_of_day)

    loses(the_rooms_clock_is_set_while_its_hello_is_under_way, switch, found="never told")


def a_room_without_its_store_does_not_get_its_roster(world: World) -> None:
    way = world.broker.way("edge down")
    way.mode = Mode.HOLD
    world.lose_store()
    world.start(world.edge)
    world.advance(1)
    way.held = [one for one in way.held if not one.message.topic.endswith("down/roster")]


def test_a_roster_that_did_not_come_is_sent_again() -> None:
    survives(a_room_without_its_store_does_not_get_its_roster)

    async def nothing(_self: RosterPublisher, _room: str, _version: int | None) -> None:
        return

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(RosterPublisher, "heard", nothing)

    course = a_room_without_its_store_does_not_get_its_roster
    loses(course, switch, found="anna-room is not there yet")


# -- between a program and its pages


def events_come_while_a_page_comes_back(world: World) -> None:
    """Again and again, each time a little later within the keeping of an event."""
    page = world.pages[0]
    for step in range(60):
        world.disks.delay_s.clear()
        world.do(page.leave)
        world.at_the_machine("cleo", "w1")
        world.advance(0.5)
        world.disks.delay_s[world.edge.database] = 0.02
        world.loop.call_later(step * 0.01, page.open)
        world.at_the_machine("cleo", "w2")
        world.advance(1.5)
        world.disks.delay_s.clear()
        assert page.machines["w2"].phase == world.edge.writer.state.machines["w2"].phase, (
            "the page shows another room"
        )


def test_live_events_are_held_while_history_is_read() -> None:
    survives(events_come_while_a_page_comes_back)
    offer = Joining.offer

    def forgets(self: Joining, events: Sequence[PublicEvent]) -> Sequence[PublicEvent]:
        return () if self._floor is None else offer(self, events)

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Joining, "offer", forgets)

    loses(events_come_while_a_page_comes_back, switch, found="shows another room|was told that")


def a_page_comes_back_to_a_new_store(world: World) -> None:
    world.at_the_machine("cleo", "w1")
    world.advance(0.5)
    world.lose_store()
    world.start(world.edge)


def test_a_page_of_another_epoch_is_told_to_fetch_the_room() -> None:
    survives(a_page_comes_back_to_a_new_store)

    def decide(
        named: Position | None, head: Position, missed: Sequence[PublicEvent] | None, most: int
    ) -> resume.Resumption:
        same = head if named is not None and named.epoch != head.epoch else named
        return resume.decide(same, head, missed, most)

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(laundryd.live.replays, "decide", decide)

    loses(a_page_comes_back_to_a_new_store, switch, found="is at epoch=")


def a_page_comes_back_to_a_restored_room(world: World) -> None:
    """The power went, an older card is put back, and there is no cloud to tell the room of it.

    With the card its witness is older too: nothing in the room knows of what came since.
    """
    page = world.pages[0]
    world.at_the_machine("cleo", "w1")
    world.advance(15)
    world.back_up(world.edge)
    for _ in range(3):
        world.at_the_machine("cleo", "w1")
        world.advance(0.5)
    world.do(world.broker.stop, forget=False)
    world.kill(world.edge)
    world.restore(world.edge)
    witness_path(world.edge.database).unlink()
    world.start(world.edge)
    world.do(page.open)
    world.advance(3)
    assert page.welcomed
    assert page.position == world.edge.store.room.head.position, "the page shows another room"
    assert page.machines["w1"].phase == world.edge.writer.state.machines["w1"].phase
    world.at_the_machine("cleo", "w1")
    world.advance(0.5)
    assert page.machines["w1"].phase == world.edge.writer.state.machines["w1"].phase, (
        "the page shows another room"
    )


def test_a_restored_rooms_position_counts_for_a_page_that_stood_further() -> None:
    survives(a_page_comes_back_to_a_restored_room)
    welcomed = Rooms.welcomed

    def keeps(self: Rooms, frame: Welcome) -> list[Action]:
        stood = dict(self.positions)
        actions = welcomed(self, frame)
        self.positions.update(stood)
        return actions

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Rooms, "welcomed", keeps)
        # The run that the room names would show it as well.
        patch.setattr("laundryd.live.following.rooms._differ", lambda *_: False)

    loses(a_page_comes_back_to_a_restored_room, switch, found="keeps what it had")


def an_event_comes_while_a_room_is_fetched(world: World) -> None:
    """Again and again, each time a little later within the answer."""
    page = world.pages[0]
    for step in range(8):
        world.do(page.leave)
        page.http_s = 0.05
        page.forget()
        world.do(page.open)
        world.advance(0.02 + step * 0.02)
        world.at_the_machine("cleo", "w1")
        world.advance(1)
        assert page.machines["w1"].phase == world.edge.writer.state.machines["w1"].phase, (
            "the page shows another room"
        )


def test_a_snapshots_position_is_taken_before_its_state() -> None:
    survives(an_event_comes_while_a_room_is_fetched)
    room = EdgeProcess.room

    async def position_last(self: EdgeProcess, token: str) -> RoomSnapshot | Refusal | None:
        shown = await room(self, token)
        await asyncio.sleep(0.03)
        if not isinstance(shown, RoomSnapshot):
            return shown
        return shown.model_copy(update={"position": self.writer.position})

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(EdgeProcess, "room", position_last)

    loses(an_event_comes_while_a_room_is_fetched, switch, found="shows another room")


def test_what_stood_in_the_snapshot_is_not_applied_again() -> None:
    survives(an_event_comes_while_a_room_is_fetched)

    def every(position: Position | None, event: PublicEvent) -> follow.Step:
        found = follow.step(position, event)
        return follow.Step.APPLY if found is follow.Step.DUPLICATE else found

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(laundryd.live.following.rooms, "step", every)

    loses(an_event_comes_while_a_room_is_fetched, switch, found="and applies")


def an_old_connection_dies_late(world: World) -> None:
    page = world.pages[0]
    socket = page.socket
    assert socket is not None
    world.do(socket.cut, server_hears=False)
    world.advance(12)
    world.at_the_machine("anna", "w1")
    world.advance(1)


def test_the_late_death_of_an_old_connection_does_not_harm_the_new_one() -> None:
    survives(an_old_connection_dies_late)
    detach = Sessions.detach

    def any_generation(
        self: Sessions[object],
        session_id: str,
        generation: int,
        *,
        now_s: float,
        on_purpose: bool,
    ) -> bool:
        session: Session[object] | None = self._by_id.get(session_id)
        now = generation if session is None else session.generation
        return detach(self, session_id, now, now_s=now_s, on_purpose=on_purpose)

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Sessions, "detach", any_generation)

    loses(an_old_connection_dies_late, switch, found="as its resident's")
