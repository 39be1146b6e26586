from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from laundryd.live.driver import Told
from laundryd.live.following.actions import Apply, Connect, Show, State, Take
from laundryd.watch.lines import CAUSES, PHASES, STATES, json_line, line
from laundryd.wire import frames
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position
from laundryd.wire.machines import EdgeStatus, MachineKind, MachineView, RoomSnapshot
from laundryd.wire.phases import Cause, Phase, Sensor
from tests.live.stage import make_notice

AT = datetime(2026, 11, 26, 18, 30, 5, tzinfo=UTC)


def machine(**more: object) -> MachineView:
    base: dict[str, object] = {
        "machine": "w1",
        "kind": MachineKind.WASHER,
        "name": "Washer 1",
        "phase": Phase.IN_USE,
        "since": AT,
        "sensor": Sensor.OK,
    }
    return MachineView.model_validate({**base, **more})


def event(cause: Cause = Cause.CYCLE_STARTED, **more: object) -> Apply:
    view = machine(**more)
    return Apply(
        PublicEvent(
            room="maple.basement", epoch="e1", offset=6, follows=5, at=AT, cause=cause, machine=view
        )
    )


def room(**more: object) -> Take:
    base: dict[str, object] = {
        "room": "maple.basement",
        "name": "Basement",
        "position": Position(epoch="e1", offset=5),
        "at": AT,
        "machines": [machine(phase=Phase.FREE), machine(name="Dryer 1")],
    }
    return Take(RoomSnapshot.model_validate({**base, **more}))


def said(told: Told) -> str | None:
    return line(told, AT, UTC)


def test_every_cause_phase_and_state_has_its_words() -> None:
    assert set(CAUSES) == set(Cause)
    assert set(PHASES) == set(Phase)
    assert set(STATES) == set(State)


def test_an_event_says_when_which_machine_what_and_why() -> None:
    assert said(event()) == "18:30:05  Washer 1: in use (its plug saw it start)"
    ends_at = AT + timedelta(minutes=40)
    assert said(event(ends_at=ends_at)) == (
        "18:30:05  Washer 1: in use until about 19:10 (its plug saw it start)"
    )
    held = event(Cause.CLAIMED, phase=Phase.CLAIMED, held_until=AT + timedelta(minutes=10))
    assert said(held) == "18:30:05  Washer 1: claimed until 18:40 (somebody is on the way)"
    silent = event(Cause.SENSOR_CHANGED, sensor=Sensor.SILENT)
    assert said(silent) == "18:30:05  Washer 1: in use (its plug is silent)"


def test_a_room_is_one_line() -> None:
    assert said(room()) == "18:30:05  Basement: Washer 1 free, Dryer 1 in use"
    away = room(edge=EdgeStatus(online=False, since=AT), machines=[])
    assert said(away) == "18:30:05  Basement (its edge is not heard): no machines"


def test_what_becomes_of_the_connection_and_the_room_is_said() -> None:
    offline = "18:30:05  -- offline: the server does not answer; trying on"
    assert said(Show(State.OFFLINE)) == offline
    status = frames.RoomStatus(room="maple.basement", edge=EdgeStatus(online=False, since=AT))
    assert said(status) == "18:30:05  -- the room is not heard since 18:30:05"
    assert said(Show(State.STOPPED)) is None
    assert said(Connect()) is None


def test_a_notice_is_said_in_the_table_s_words() -> None:
    notice = frames.NoticeFrame.model_validate(make_notice("n").model_dump())
    assert (said(notice) or "").endswith(">> Done: Washer 1 is done. Please collect your laundry.")


def test_a_name_cannot_command_the_terminal_nor_break_the_line() -> None:
    text = said(event(name="W\x1b[2J\n1"))
    assert text == "18:30:05  W?[2J?1: in use (its plug saw it start)"


def test_json_is_one_object_a_line_that_says_its_type() -> None:
    shown: list[Told] = [
        event(name="W\u2028\n1"),
        room(),
        Show(State.LIVE),
        frames.RoomStatus(room="maple.basement", edge=EdgeStatus(online=True, since=AT)),
        frames.NoticeFrame.model_validate(make_notice("n").model_dump()),
    ]
    texts = [json_line(told, AT) or "" for told in shown]
    assert all(len(text.splitlines()) == 1 for text in texts)
    types = [json.loads(text)["type"] for text in texts]
    assert types == ["event", "room", "connection", "room_status", "notice"]
    assert json.loads(texts[0])["machine"]["name"] == "W\u2028\n1"
    assert json_line(Connect(), AT) is None
