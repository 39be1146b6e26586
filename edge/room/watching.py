"""Who is told that a machine is free: first come, first told, each with a turn of their own.

After every accepted input ``hand_out`` looks at the queue: whoever took a machine of the kind is off it;
whose turn passed is off it; whose machine was taken by somebody else within their turn waits again, at
the place they had, which is the head; and each free machine that is in nobody's turn is told to the
first who was not told. So a machine is free and in nobody's turn only when nobody waits for its kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from edge.room.decision import Accepted, WaitChange, draft
from edge.room.records import MachineRecord, RoomState
from edge.room.timings import RoomTimings
from edge.room.waits import Waits, Watch
from laundryd.wire.ids import ResidentId, Slug
from laundryd.wire.machines import MachineKind
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Cause, Phase
from laundryd.wire.times import Moment

_SERVES: Final = frozenset({Cause.CLAIMED, Cause.STARTED, Cause.ADOPTED})
"""What a watcher does that shows that they wait no more for that kind."""


def hand_out(state: RoomState, accepted: Accepted, now: Moment, timings: RoomTimings) -> Accepted:
    """Return ``accepted`` with what it means to those who wait."""
    before = state.waits if accepted.waits is None else accepted.waits
    if not before.watches:
        return _with_changes(state, accepted, before, {})
    machines = state.with_records(change.record for change in accepted.changes).machines
    queue = [
        watch if _is_free(machines, watch.told_machine) else watch.waiting_again()
        for watch in before.watches
        if not watch.is_over(now) and not _is_served(watch, accepted)
    ]
    turn_ends_at = now + timings.watch_turn
    told: dict[ResidentId, list[MachineRecord]] = {}
    for machine in _in_nobodys_turn(machines, queue):
        for place, watch in enumerate(queue):
            if watch.told_machine is None and watch.kind is machine.kind:
                queue[place] = replace(watch, told_until=turn_ends_at, told_machine=machine.machine)
                told.setdefault(watch.resident, []).append(machine)
                break
    minutes = math.ceil(timings.watch_turn / timedelta(minutes=1))
    notices = {
        resident: [
            WaitChange(
                resident,
                one.machine,
                draft(one, NoticeKind.MACHINE_FREE, resident, minutes=minutes, until=turn_ends_at),
            )
            for one in free
        ]
        for resident, free in told.items()
    }
    return _with_changes(state, accepted, replace(before, watches=tuple(queue)), notices)


def free_for_all(state: RoomState, kind: MachineKind) -> MachineRecord | None:
    """Return a free machine of ``kind`` that is in nobody's turn, None when there is none."""
    for machine in _in_nobodys_turn(state.machines, state.waits.watches):
        if machine.kind is kind:
            return machine
    return None


def _with_changes(
    state: RoomState,
    accepted: Accepted,
    waits: Waits,
    notices: Mapping[ResidentId, list[WaitChange]],
) -> Accepted:
    if waits == state.waits:
        return replace(accepted, waits=None)
    concerned = sorted({*state.waits.residents(), *waits.residents()})
    changes = [
        change
        for resident in concerned
        if waits.of(resident) != state.waits.of(resident) or resident in notices
        for change in notices.get(resident, [WaitChange(resident)])
    ]
    return replace(accepted, waits=waits, wait_changes=tuple(changes))


def _is_free(machines: Mapping[Slug, MachineRecord], machine: Slug | None) -> bool:
    found = None if machine is None else machines.get(machine)
    return found is not None and found.phase is Phase.FREE


def _is_served(watch: Watch, accepted: Accepted) -> bool:
    return any(
        change.cause in _SERVES
        and change.record.owner == watch.resident
        and change.record.kind is watch.kind
        for change in accepted.changes
    )


def _in_nobodys_turn(
    machines: Mapping[Slug, MachineRecord], queue: Sequence[Watch]
) -> list[MachineRecord]:
    in_turn = {watch.told_machine for watch in queue}
    return [
        record
        for record in machines.values()
        if record.phase is Phase.FREE and record.machine not in in_turn
    ]
