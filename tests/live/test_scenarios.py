"""The client's decisions, by the scenarios that the web app's client runs too.

A step is ``{at_s, in, out}``: time passes up to ``at_s`` seconds with everything that falls due on the
way, then ``in`` happens (nothing, if it is missing), and ``out`` is everything that the client did since
the step before. ``begins: live`` starts with a welcomed connection at 0 s. ``random`` are the numbers
that the client draws, in order, the last one for ever. Frames, events and snapshots are filled up from
``scenario_frames.json``. ``rooms`` say where the client stands: epoch, offset, and the run if it has one; a
position that is sent without a run is written without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypedDict

import pytest
from pydantic import JsonValue

from laundryd.live.following.actions import (
    Action,
    Apply,
    AskWhy,
    Connect,
    Drop,
    Get,
    Send,
    Show,
    Take,
)
from laundryd.live.following.core import Core
from laundryd.wire import frames
from laundryd.wire.events import AckKind
from laundryd.wire.ids import PagePosition
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import Lang

HERE: Final = Path(__file__).parent
FILLED: Final = json.loads((HERE / "scenario_frames.json").read_text())
Object = dict[str, JsonValue]


class _Begin(TypedDict, total=False):
    begins: str
    rooms: dict[str, list[str | int] | None]
    random: list[float]


class Scenario(_Begin):
    name: str
    steps: list[Object]


def scenarios() -> list[Scenario]:
    return [
        scenario
        for path in sorted((HERE / "scenarios").glob("*.json"))
        for scenario in json.loads(path.read_text())
    ]


def filled(frame: Mapping[str, JsonValue]) -> frames.ServerFrame:
    whole: Object = {**FILLED.get(str(frame["type"]), {}), **frame}
    if isinstance(events := frame.get("events"), list):
        whole["events"] = [{**FILLED["event"], **e} for e in events if isinstance(e, dict)]
    return frames.SERVER_FRAME.validate_python(whole)


def drawn(numbers: Sequence[float]) -> Callable[[], float]:
    left = list(numbers)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def said(action: Action) -> JsonValue:  # noqa: PLR0911 -- one line an action
    match action:
        case Connect():
            return "connect"
        case Drop():
            return "drop"
        case AskWhy():
            return "ask_why"
        case Get(room):
            return {"get": room}
        case Take(snapshot, is_older):
            return {"take": snapshot.room, **({"older": True} if is_older else {})}
        case Show(state):
            return {"state": state.value}
        case Apply(event):
            return {"apply": [event.room, event.epoch, event.offset]}
        case Send(frame):
            return {"send": _sent(frame)}


def _sent(frame: frames.ClientFrame) -> Object:
    sent: Object = json.loads(frame.model_dump_json())
    if isinstance(ago_s := sent.get("touched_s_ago"), float):
        sent["touched_s_ago"] = round(ago_s, 3)
    for at in rooms.values() if isinstance(rooms := sent.get("rooms"), dict) else ():
        if isinstance(at, dict) and at["run"] is None:
            del at["run"]
    return sent


def _position(epoch: str | int, offset: str | int, run: str | int | None = None) -> PagePosition:
    return PagePosition(epoch=str(epoch), offset=int(offset), run=None if run is None else str(run))


class Stage:
    def __init__(self, scenario: Scenario) -> None:
        rooms = {
            room: None if at is None else _position(*at)
            for room, at in scenario.get("rooms", {"a.b": None}).items()
        }
        self.core = Core(
            rooms, lang=Lang.EN, random=drawn(scenario.get("random", [1])), starts_anew=True
        )
        if scenario.get("begins") == "live":
            self.core.start(0)
            self.core.opened()
            resumed = {
                room: {**at.model_dump(), "was_recovering": True, "recovered": True}
                for room, at in rooms.items()
                if at is not None
            }
            welcome = frames.SERVER_FRAME.validate_python({**FILLED["welcome"], "rooms": resumed})
            self.core.take(welcome, 0)
            assert self.core.is_live

    def play(self, step: Mapping[str, JsonValue]) -> list[JsonValue]:
        at_s = step["at_s"]
        assert isinstance(at_s, int | float)
        actions = self.run_to(at_s)
        if "in" in step:
            actions += self.happen(step["in"], at_s)
        return [said(action) for action in [*actions, *self.run_to(at_s)]]

    def run_to(self, at_s: float) -> list[Action]:
        actions: list[Action] = []
        for _ in range(1_000):
            due_s = self.core.due_s
            if due_s is None or due_s > at_s:
                return actions
            actions += self.core.tick(due_s)
        raise AssertionError(f"at {at_s} s something is due again and again: {actions[-5:]}")

    def happen(self, what: JsonValue, now_s: float) -> list[Action]:  # noqa: C901, PLR0911, PLR0912 -- one case a word
        core = self.core
        match what:
            case "start":
                return core.start(now_s)
            case "opened":
                return core.opened()
            case "refused":
                return core.closed(1006, now_s)
            case "online" | "pageshow":
                return core.woken(now_s)
            case "visible" | "hidden":
                return core.attend(visible=what == "visible", now_s=now_s)
            case "touched":
                return core.touched(now_s)
            case "stop":
                return core.stop()
            case {"closed": int(code)}:
                return core.closed(code, now_s)
            case {"frame": dict(frame)}:
                return core.take(filled(frame), now_s)
            case {"snapshot": dict(snapshot)}:
                whole = RoomSnapshot.model_validate({**FILLED["snapshot"], **snapshot})
                return core.got(whole, now_s)
            case {
                "get_failed": {
                    "room": str(room),
                    "status": int(status),
                    "retry_after_s": int(retry_after_s),
                }
            }:
                return core.get_failed(room, status, now_s, retry_after_s)
            case {"get_failed": {"room": str(room), "status": int() | None as status}}:
                return core.get_failed(room, status, now_s)
            case {"why": int() | None as status}:
                return core.why(status, now_s)
            case {"why": {"status": int(status), "retry_after_s": int(retry_after_s)}}:
                return core.why(status, now_s, retry_after_s)
            case {"ack": list(ids)}:
                return core.acknowledge(AckKind.SHOWN, [str(notice_id) for notice_id in ids])
            case {"read": list(ids)}:
                return core.acknowledge(AckKind.READ, [str(notice_id) for notice_id in ids])
            case _:
                raise AssertionError(f"no such thing happens: {what}")


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario["name"])
def test_scenario(scenario: Scenario) -> None:
    stage = Stage(scenario)
    for number, step in enumerate(scenario["steps"]):
        assert stage.play(step) == step["out"], f"step {number}: {step}"
