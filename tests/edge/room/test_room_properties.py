"""Any order of commands, signals and time: what must hold after every step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from typing_extensions import override

from edge.room.deadlines import next_deadline
from edge.room.decide import after, decide
from edge.room.decision import Change, NoticeDraft, Refused
from edge.room.inputs import (
    CycleFinished,
    CycleResumed,
    CycleStarted,
    EndExpected,
    RoomInput,
    SensorChanged,
    StaffOrder,
    Tick,
)
from edge.room.journal import JournalHead, journalled
from edge.room.records import HELD, RECORD, MachineRecord, RoomState
from edge.room.view import mine, owners, view, waiting
from edge.room.waits import WAITS
from laundryd.wire.commands import (
    CommandName,
    CommandParams,
    ResidentCommand,
    StaffCommand,
    StaffCommandName,
)
from laundryd.wire.errors import ErrorCode
from laundryd.wire.events import Entry, PublicEvent, Waiting
from laundryd.wire.ids import NoticeId, ResidentId
from laundryd.wire.machines import MachineKind, MachineView
from laundryd.wire.notices import ACTIONS, NOTICES, Origin, Who
from laundryd.wire.phases import Phase, Sensor, is_legal
from tests.edge.room.driver import NOON, PROGRAMMES, TIMINGS, machine

ROOM = "maple-hall.basement"
RESIDENTS = ("resident-anna", "resident-ben", "resident-chloe")
MACHINES = ("w1", "w2", "bare", "d1")

names = st.sampled_from(MACHINES)
residents = st.sampled_from(RESIDENTS)
minutes_ago = st.integers(0, 20)
params_ = st.builds(
    CommandParams,
    minutes=st.none() | st.integers(1, 60),
    programme=st.none() | st.sampled_from(("cotton", "wool", "silk")),
    text=st.none() | st.sampled_from(("water on the floor", "\x00\x01\x02\x03")),
)


class Room(RuleBasedStateMachine):
    """The real ``decide`` beside a client that only ever applies events."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.state = RoomState.of(
            [
                machine("w1", Sensor.OK),
                machine("w2", Sensor.SILENT),
                machine("bare", Sensor.NONE),
                machine("d1", Sensor.OK, MachineKind.DRYER),
            ]
        )
        self.state = replace(self.state, programmes=PROGRAMMES)
        self.head = JournalHead("epoch")
        self.notice_ids: set[NoticeId] = set()
        self.waiting: dict[ResidentId, Waiting] = {}
        """What a relay knows that only ever applies entries."""
        self.events: list[PublicEvent] = []
        self.views = [self._views()]
        """What the room looked like at each public position, the beginning first."""

    def _views(self) -> dict[str, MachineView]:
        return {name: view(record) for name, record in self.state.machines.items()}

    def _give(self, given: RoomInput) -> None:
        before = self.state
        decision = decide(before, given, self.now, TIMINGS)
        self.state = after(before, decision)
        if isinstance(decision, Refused):
            assert self.state == before
            return
        running = before
        for change in decision.changes:
            was = running.machines[change.record.machine]
            if change.cause is None:
                assert view(was) == view(change.record), "bookkeeping must not be seen"
                assert not change.notices
            else:
                assert is_legal(change.cause, was.phase, change.record.phase)
                for told in change.notices:
                    self._concerns(told, was, change)
            running = running.with_records([change.record])
        assert decision.waits is None or decision.waits != before.waits
        assert decision.waits is not None or not decision.wait_changes
        entries, head = journalled(decision, room=ROOM, head=self.head, at=self.now)
        for entry in entries:
            self._buttons_work(entry)
            assert entry.offset == self.head.offset + 1
            assert {notice.resident for notice in entry.notices} <= set(RESIDENTS)
            assert (entry.event is None) != (entry.waiting is None)
            if entry.waiting is not None:
                assert {notice.resident for notice in entry.notices} <= {entry.waiting.resident}
                self.head = replace(self.head, offset=entry.offset)
                self._relay_hears(entry.waiting)
                continue
            assert entry.event is not None
            assert entry.event.follows == self.head.last_public
            self.head = JournalHead(self.head.epoch, entry.offset, entry.offset)
            self.events.append(entry.event)
            seen = dict(self.views[-1])
            seen[entry.event.machine.machine] = entry.event.machine
            self.views.append(seen)
        assert self.head == head

    def _concerns(self, told: NoticeDraft, was: MachineRecord, change: Change) -> None:
        """Check that a notice is for whom its row names, and not moot by what causes it."""
        row = NOTICES[told.kind]
        assert row.origin is Origin.EDGE
        assert change.cause not in row.moot_after
        match row.who:
            case Who.OWNER:
                assert told.resident == (was.owner or change.record.owner)
            case Who.HOLDER:
                # Theirs, or until a deadline that overtook their start.
                until_now = was.lost if was.phase is Phase.FREE else was
                assert until_now is not None
                assert until_now.phase in HELD
                assert told.resident == until_now.owner
            case Who.OWNER_OR_HOLDER:
                assert told.resident == (was.failed_for or was.owner)
            case Who.ASKERS:
                assert told.resident in was.pickup_askers
                assert told.resident != was.owner
            case Who.FIRST_IN_LINE | Who.ADDRESSED:
                pytest.fail(f"{told.kind}: no machine's change tells it")
        owned = [one for one in change.notices if NOTICES[one.kind].who is not Who.ASKERS]
        assert len(owned) <= 1, "one change tells the owner one thing"

    def _buttons_work(self, entry: Entry) -> None:
        """Check that the room takes what a notice's buttons say, as things are after the decision."""
        for notice in entry.notices:
            assert notice.id not in self.notice_ids, "told once"
            self.notice_ids.add(notice.id)
            assert notice.machine is not None
            for action in notice.card().offered:
                said = ACTIONS[action]
                wish = ResidentCommand(
                    id="id",
                    resident=notice.resident,
                    machine=notice.machine,
                    name=said.command,
                    params=said.params,
                )
                answer = decide(self.state, wish, self.now, TIMINGS)
                if isinstance(answer, Refused):
                    # One claim a kind: whether they hold another one is no matter of this machine.
                    assert answer.code is ErrorCode.ALREADY_HOLDING, (notice.kind, action)

    def _relay_hears(self, told: Waiting) -> None:
        self.waiting.pop(told.resident, None)
        if told.watches or told.pickup_muted:
            self.waiting[told.resident] = told

    @rule(resident=residents, name=st.sampled_from(CommandName), where=names, params=params_)
    def resident_says(
        self, resident: str, name: CommandName, where: str, params: CommandParams
    ) -> None:
        self._give(
            ResidentCommand(id="id", resident=resident, machine=where, name=name, params=params)
        )

    @rule(name=st.sampled_from(CommandName), where=names, params=params_)
    def the_owner_says(self, name: CommandName, where: str, params: CommandParams) -> None:
        owner = self.state.machines[where].owner or RESIDENTS[0]
        self._give(
            ResidentCommand(id="id", resident=owner, machine=where, name=name, params=params)
        )

    @rule(name=st.sampled_from(StaffCommandName), where=names)
    def staff_say(self, name: StaffCommandName, where: str) -> None:
        self._give(StaffOrder("kim", StaffCommand(machine=where, name=name)))

    @rule(where=names, ago=minutes_ago)
    def cycle_starts(self, where: str, ago: int) -> None:
        self._give(CycleStarted(where, self.now - timedelta(minutes=ago)))

    @rule(where=names, ago=minutes_ago, lasted=st.integers(0, 90))
    def cycle_ends(self, where: str, ago: int, lasted: int) -> None:
        known = self.state.machines[where].plug_cycle_since
        ended_at = self.now - timedelta(minutes=ago)
        started_at = known or ended_at - timedelta(minutes=lasted)
        self._give(CycleFinished(where, started_at, max(started_at, ended_at)))

    @rule(where=names, ago=minutes_ago, lasted=st.integers(0, 90))
    def cycle_goes_on(self, where: str, ago: int, lasted: int) -> None:
        record = self.state.machines[where]
        ended_at = record.ended_at or self.now - timedelta(minutes=ago)
        started_at = record.started_at or ended_at - timedelta(minutes=lasted)
        self._give(CycleResumed(where, min(started_at, ended_at), ended_at))

    @rule(
        where=names,
        ago=minutes_ago,
        left=st.integers(-2, 60),
        confidence=st.floats(0, 1),
        is_soon=st.booleans(),
    )
    def end_is_expected(
        self, where: str, ago: int, left: int, confidence: float, *, is_soon: bool
    ) -> None:
        known = self.state.machines[where].plug_cycle_since
        started_at = known or self.now - timedelta(minutes=ago)
        ends_at = self.now + timedelta(minutes=left)
        self._give(EndExpected(where, started_at, ends_at, confidence, is_soon=is_soon))

    @rule(where=names, sensor=st.sampled_from(Sensor))
    def sensor_changes(self, where: str, sensor: Sensor) -> None:
        self._give(SensorChanged(where, sensor))

    @rule(minutes=st.integers(0, 30))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self._give(Tick())
        due = next_deadline(self.state, TIMINGS)
        assert due is None or due > self.now, "a tick leaves nothing that is due"

    @rule()
    def sleep_until_the_deadline(self) -> None:
        due = next_deadline(self.state, TIMINGS)
        if due is None:
            return
        self.now = max(self.now, due)
        before = self.state
        self._give(Tick())
        assert self.state != before, "the shell woke in vain"

    @invariant()
    def a_held_machine_has_a_holder_and_an_end(self) -> None:
        for record in self.state.machines.values():
            held = record.phase in HELD
            assert (record.held_until is not None) == held
            assert record.owner is not None or not held
            assert record.owner is None or record.phase not in {Phase.FREE, Phase.OUT_OF_ORDER}

    @invariant()
    def times_stand_where_the_view_says(self) -> None:
        for record in self.state.machines.values():
            runs = record.phase is Phase.IN_USE
            done = record.phase is Phase.FINISHED
            assert (record.started_at is not None) == (runs or done)
            assert (record.ended_at is not None) == done
            assert record.ends_at is None or runs
            assert record.ends_confidence is None or (
                record.ends_at is not None and record.sensor is Sensor.OK
            )
            assert record.programme is None or runs or done
            for of_this_load in (record.pickup_requested_at, record.owner_coming_at):
                assert of_this_load is None or done
            assert record.remind_at is None or (done and record.owner is not None)
            if record.plug_cycle_since is not None:
                assert record.phase in {Phase.IN_USE, Phase.OUT_OF_ORDER}
            if record.ended_at is not None and record.started_at is not None:
                assert record.started_at <= record.ended_at

    @invariant()
    def a_free_machine_is_somebodys_turn_or_nobody_waits_for_it(self) -> None:
        waits = self.state.waits.watches
        in_turn = {one.told_machine for one in waits if one.told_machine is not None}
        for record in self.state.machines.values():
            if record.phase is Phase.FREE and record.machine not in in_turn:
                assert all(one.told_until for one in waits if one.kind is record.kind)
            assert record.phase is Phase.FREE or record.machine not in in_turn
        turns = [one.told_machine for one in waits if one.told_machine is not None]
        assert len(turns) == len(set(turns)), "no machine is told to two at once"
        watched = [(one.resident, one.kind) for one in waits]
        assert len(watched) == len(set(watched))

    @invariant()
    def the_relay_knows_who_waits(self) -> None:
        assert {one.resident: one for one in waiting(self.state)} == self.waiting

    @invariant()
    def no_owner_is_asked_who_turned_it_off(self) -> None:
        for resident in RESIDENTS:
            assert (resident in self.state.waits.muted) == bool(
                mine(self.state, ROOM, resident).pickup_muted
            )

    @invariant()
    def one_claim_a_resident_and_kind(self) -> None:
        held = [
            (record.owner, record.kind)
            for record in self.state.machines.values()
            if record.phase in HELD
        ]
        assert len(held) == len(set(held))

    @invariant()
    def nobody_is_seen(self) -> None:
        for seen in self._views().values():
            assert "resident-" not in seen.model_dump_json()

    @invariant()
    def mine_and_owners_tell_the_same(self) -> None:
        owned = owners(self.state)
        for resident in RESIDENTS:
            told = mine(self.state, ROOM, resident)
            theirs = {found.machine for found in told.machines}
            theirs |= {found.machine for found in told.claims}
            assert theirs == {name for name, owner in owned.items() if owner == resident}

    @invariant()
    def a_record_comes_back_from_json_as_it_was(self) -> None:
        for record in self.state.machines.values():
            assert RECORD.validate_json(RECORD.dump_json(record)) == record
        waits = self.state.waits
        assert WAITS.validate_json(WAITS.dump_json(waits)) == waits

    @override
    def teardown(self) -> None:
        """Replay the events from every snapshot: each client ends with the same room."""
        for start in range(len(self.views)):
            seen = dict(self.views[start])
            position = self.events[start - 1].offset if start else 0
            for event in self.events:
                if event.follows <= position < event.offset:
                    seen[event.machine.machine] = event.machine
                    position = event.offset
            assert seen == self._views()


TestRoom = Room.TestCase
TestRoom.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
