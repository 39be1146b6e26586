"""A whole folder put back, or lost: what pages and residents make of it, with the mechanism and without."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from edge.local.door import LocalDoor
from laundryd.live.door import Admission, Refusal
from laundryd.wire.errors import ErrorCode
from laundryd.wire.phases import Phase
from tests.model.programs import EdgeProcess, RelayProcess
from tests.model.twins import loses, survives
from tests.model.world import World


def a_whole_folder_is_put_back(world: World, process: EdgeProcess | RelayProcess) -> None:
    """A page is away while its own numbers are given out again, to other changes.

    With ``process`` the relay, the room's computer is put back as well: both are as on one day.
    """
    page = world.pages[0 if process is world.edge else 2]
    world.at_the_machine("cleo", "w1")
    world.advance(15)
    for one in (world.edge, process):
        world.back_up(one)
    world.at_the_machine("cleo", "w2")
    world.advance(0.5)
    assert page.machines["w2"].phase is Phase.IN_USE
    world.do(page.leave)
    if process is world.edge:
        world.do(world.broker.stop, forget=False)
    for one in (world.edge, process):
        world.kill(one)
        world.restore(one, whole=True)
    world.start(process)
    world.start(world.edge)
    world.advance(10)
    for _ in range(4):
        world.at_the_machine("cleo", "w1")
        world.advance(0.5)
    world.do(page.open)
    world.advance(3)
    assert page.welcomed
    for machine, record in world.edge.writer.state.machines.items():
        assert page.machines[machine].phase == record.phase, "the page shows another room"


def test_a_rooms_page_of_another_past_takes_the_whole_room() -> None:
    def course(world: World) -> None:
        a_whole_folder_is_put_back(world, world.edge)

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("edge.store.room_store.is_same_past", lambda *_: True)

    survives(course)
    loses(course, switch, found="shows another room")


def test_a_page_of_another_past_of_the_relay_takes_the_whole_room() -> None:
    def course(world: World) -> None:
        a_whole_folder_is_put_back(world, world.relay)

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("cloud_relay.rooms.runs.is_same_past", lambda *_: True)

    survives(course)
    loses(course, switch, found="shows another room")


def a_room_loses_its_store_while_the_cloud_is_away(world: World) -> None:
    page = world.pages[0]
    world.at_the_machine("anna", "w1")
    world.do(world.broker.stop, forget=False)
    world.lose_store()
    world.start(world.edge)
    world.advance(40)
    assert not page.welcomed, "nobody can say who they are yet"
    world.do(world.broker.start)
    world.advance(60)
    assert page.welcomed


def test_a_room_without_its_roster_signs_nobody_out() -> None:
    survives(a_room_loses_its_store_while_the_cloud_is_away)
    admit = LocalDoor.admit

    async def refuses(self: LocalDoor, headers: Mapping[str, str]) -> Admission | Refusal:
        found = await admit(self, headers)
        awaited = isinstance(found, Refusal) and found.code is ErrorCode.ROSTER_AWAITED
        return Refusal(ErrorCode.UNAUTHENTICATED) if awaited else found

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(LocalDoor, "admit", refuses)

    loses(a_room_loses_its_store_while_the_cloud_is_away, switch, found="was signed out")
