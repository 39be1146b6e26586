"""What a terminal is shown: one line for what was told, or one JSON object. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

from laundryd.live.driver import Told
from laundryd.live.following.actions import Apply, Show, State, Take
from laundryd.wire import frames
from laundryd.wire.events import PublicEvent
from laundryd.wire.machines import EdgeStatus, MachineView, RoomSnapshot
from laundryd.wire.notices import Lang, NoticeCard, render
from laundryd.wire.phases import Cause, Phase, Sensor

CAUSES: Final[Mapping[Cause, str]] = {
    Cause.CLAIMED: "somebody is on the way",
    Cause.ARRIVED: "somebody stands before it",
    Cause.STARTED: "registered as in use",
    Cause.ADOPTED: "somebody said that it is theirs",
    Cause.RELEASED: "given back",
    Cause.HOLD_ENDING: "the hold ends in two minutes",
    Cause.HOLD_ENDED: "the hold has ended",
    Cause.CYCLE_STARTED: "its plug saw it start",
    Cause.NOT_STARTED: "registered, but it drew no power",
    Cause.ENDING_SOON: "it ends soon",
    Cause.FINISHED: "it is done",
    Cause.RESUMED: "it was called done, but goes on",
    Cause.END_EXPECTED: "its end is expected anew",
    Cause.EXTENDED: "its owner moved the end",
    Cause.REMINDED: "its owner is reminded",
    Cause.PICKUP_REQUESTED: "somebody asks to collect",
    Cause.OWNER_COMING: "its owner is coming",
    Cause.FAULT_REPORTED: "a fault was reported",
    Cause.FAULT_CLEARED: "staff looked, it is fine",
    Cause.COLLECTED: "the laundry is out",
    Cause.OUT_OF_ORDER: "taken out of order",
    Cause.REPAIRED: "repaired",
    Cause.SENSOR_CHANGED: "its plug was heard again",
}
PHASES: Final[Mapping[Phase, str]] = {
    Phase.FREE: "free",
    Phase.CLAIMED: "claimed",
    Phase.ARRIVED: "arrived",
    Phase.IN_USE: "in use",
    Phase.FINISHED: "finished",
    Phase.OUT_OF_ORDER: "out of order",
}
STATES: Final[Mapping[State, str]] = {
    State.CONNECTING: "connection lost, coming back",
    State.LIVE: "live",
    State.OFFLINE: "offline: the server does not answer; trying on",
    State.STOPPED: "ended",
}


def line(told: Told, at: datetime, zone: tzinfo | None) -> str | None:
    """Return one readable line, None for what a reader need not see.

    ``at`` is the moment it was told; ``zone`` the reader's, None the computer's.
    """
    match told:
        case Apply(event):
            text = _clock(event.at, zone) + f"  {_event(event, zone)}"
        case Take(snapshot):
            text = _clock(snapshot.at, zone) + f"  {_room(snapshot)}"
        case Show(state) if state is not State.STOPPED:
            text = _clock(at, zone) + f"  -- {STATES[state]}"
        case frames.RoomStatus(edge=edge):
            text = _clock(at, zone) + f"  -- {_edge(edge, zone)}"
        case frames.NoticeFrame(told=True):
            return None  # a push told it
        case NoticeCard():
            said = render(told, Lang.EN)
            text = _clock(told.caused_at, zone) + f"  >> {said.title}: {said.body}"
        case _:
            return None
    # A name may hold what a terminal takes for a command.
    return "".join(char if char.isprintable() else "?" for char in text)


def json_line(told: Told, at: datetime) -> str | None:
    """Return one JSON object, None for what ``line`` leaves out, too. ``type`` says what it is."""
    match told:
        case Apply(event):
            body = {"type": "event", **event.model_dump(mode="json")}
        case Take(snapshot):
            body = {"type": "room", **snapshot.model_dump(mode="json")}
        case Show(state) if state is not State.STOPPED:
            body = {"type": "connection", "at": at.isoformat(), "state": state.value}
        case frames.RoomStatus() | frames.NoticeFrame():
            body = {"at": at.isoformat(), **told.model_dump(mode="json")}
        case _:
            return None
    return json.dumps(body, ensure_ascii=True)


def _clock(moment: datetime, zone: tzinfo | None) -> str:
    return moment.astimezone(zone).strftime("%H:%M:%S")


def _event(event: PublicEvent, zone: tzinfo | None) -> str:
    machine = event.machine
    cause = CAUSES[event.cause]
    if event.cause is Cause.SENSOR_CHANGED and machine.sensor is Sensor.SILENT:
        cause = "its plug is silent"
    return f"{machine.name}: {_state(machine, zone)} ({cause})"


def _state(machine: MachineView, zone: tzinfo | None) -> str:
    phase = PHASES[machine.phase]
    if machine.phase is Phase.IN_USE and machine.ends_at is not None:
        return f"{phase} until about {machine.ends_at.astimezone(zone).strftime('%H:%M')}"
    if machine.held_until is not None:
        return f"{phase} until {machine.held_until.astimezone(zone).strftime('%H:%M')}"
    return phase


def _room(snapshot: RoomSnapshot) -> str:
    machines = ", ".join(f"{m.name} {PHASES[m.phase]}" for m in snapshot.machines)
    edge = snapshot.edge
    away = "" if edge is None or edge.online else " (its edge is not heard)"
    return f"{snapshot.name}{away}: {machines or 'no machines'}"


def _edge(edge: EdgeStatus, zone: tzinfo | None) -> str:
    if edge.online:
        return "the room is heard"
    return f"the room is not heard since {_clock(edge.since, zone)}"
