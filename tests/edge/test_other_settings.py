"""What the settings name changes: everybody who knew the room before takes it whole, once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.room.inputs import Tick
from edge.room.reconcile import MachineSetup
from edge.store.edge_store import EdgeStore
from edge.store.room_store import RoomStore
from edge.writer import RoomWriter
from laundryd.wire.ids import Position
from laundryd.wire.machines import MachineKind, Programme
from laundryd.wire.notices import Notice
from tests.edge.test_writer import ROOM, SETUPS, HandClock, say


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "edge.db"


WOOL = Programme(programme="wool", kind=MachineKind.WASHER, name="Wool", minutes=35)
OTHER_SETTINGS: dict[str, tuple[list[MachineSetup], str, list[Programme]]] = {
    "a machine left": (SETUPS[:1], "Basement", [WOOL]),
    "a machine came": (
        [*SETUPS, MachineSetup("d1", MachineKind.DRYER, "Dryer", has_plug=False)],
        "Basement",
        [WOOL],
    ),
    "another kind": ([replace(SETUPS[0], kind=MachineKind.DRYER), SETUPS[1]], "Basement", [WOOL]),
    "another name": ([replace(SETUPS[0], name="First"), SETUPS[1]], "Basement", [WOOL]),
    "another order": (SETUPS[::-1], "Basement", [WOOL]),
    "another name of the room": (SETUPS, "Cellar", [WOOL]),
    "a programme left": (SETUPS, "Basement", []),
    "another programme": (SETUPS, "Basement", [WOOL.model_copy(update={"minutes": 40})]),
}


@pytest.mark.parametrize("change", OTHER_SETTINGS)
async def test_other_settings_begin_an_epoch_once_and_the_same_ones_none(
    path: Path, clock: HandClock, change: str
) -> None:
    positions: list[Position] = []
    told: list[Notice] = []
    machines, name, programmes = OTHER_SETTINGS[change]
    for setups, called, listed in [
        *[(SETUPS, "Basement", [WOOL])] * 2,
        *[(machines, name, programmes)] * 2,
    ]:
        store = await EdgeStore.open(path)
        writer = await RoomWriter.open(ROOM, setups, store, clock, name=called, programmes=listed)
        if not positions:  # bea did not come, and the relay was not told
            assert (await writer.command(say("claim", "c1", "bare", "bea"))).ok
            await clock.move(11)
            told = (await writer.apply(Tick())).entries[0].notices
        assert [(one.machine, one.name) for one in writer.state.machines.values()] == [
            (one.machine, one.name) for one in setups
        ]
        assert writer.state.programmes == tuple(listed)
        positions.append(writer.position)
        entries = await store.room.entries_after(0, 100)
        assert entries is not None
        assert [one for entry in entries for one in entry.told] == told, "it is still to be told"
        await store.close()
    first, again, changed, changed_again = positions
    assert first == again
    assert changed.epoch != first.epoch
    assert changed == changed_again


async def test_other_settings_begin_an_epoch_also_where_nothing_has_happened_in_the_last(
    path: Path, clock: HandClock
) -> None:
    store = await EdgeStore.open(path)
    writer = await RoomWriter.open(ROOM, SETUPS, store, clock)
    await writer.new_epoch("asked")
    page = writer.position
    assert page.offset == 0
    writer = await RoomWriter.open(ROOM, SETUPS[:1], store, clock)
    assert writer.position.epoch != page.epoch
    assert await store.room.since(page, 300) is None
    await store.close()


async def test_without_an_epoch_a_page_that_saw_all_goes_on_with_a_machine_that_left(
    path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(_self: RoomStore, _reason: str) -> str:
        return ""

    monkeypatch.setattr(RoomStore, "new_epoch", none)
    store = await EdgeStore.open(path)
    page = (await RoomWriter.open(ROOM, SETUPS, store, clock)).position
    writer = await RoomWriter.open(ROOM, SETUPS[:1], store, clock)
    assert list(writer.state.machines) == ["w1"]
    assert await store.room.since(page, 300) == [], "it is told that it missed nothing"
    await store.close()
