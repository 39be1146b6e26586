"""The real edge, killed with SIGKILL at random moments while commands and plug messages come in.

What is on the disk is read from a copy, so that the edge itself has to recover what the kill left.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import pytest

from edge.local.codes import DATABASE
from edge.room.view import view
from edge.store.edge_store import EdgeStore
from laundryd.daemon import codes
from laundryd.demo.broker import Mosquitto
from laundryd.wire.commands import CommandAnswer
from laundryd.wire.events import Entry, PublicEvent
from laundryd.wire.machines import MachineView
from laundryd.wire.phases import Cause, Phase, is_legal
from tests.edge.room_watch import RoomWatch, plug
from tests.edge.running import ROOM, EdgeProcess

SHORT_KILLS: Final = 25
FULL_KILLS: Final = 200
SPEED: Final = 600.0
"""Room seconds in a real second: holds end, programmes finish and washes are seen within the test."""
WASH_S: Final = 4.0
PAUSE_S: Final = 3.0
RESTED_S: Final = 1.0
"""Ten minutes of the room: a rest must be heard in one life to be a load's end, so some live so long."""
CODE: Final = "ABCD-EFGH"
SAID: Final = {
    "claim": Cause.CLAIMED,
    "arrive": Cause.ARRIVED,
    "start": Cause.STARTED,
    "release": Cause.RELEASED,
    "collect": Cause.COLLECTED,
}
MACHINES: Final = """
[[machines]]
id = "w1"
kind = "washer"
name = "Washer 1"
plug = { topic = "washer-1" }

[[machines]]
id = "w2"
kind = "washer"
name = "Washer 2"

[[machines]]
id = "w3"
kind = "washer"
name = "Washer 3"
"""


@dataclass(frozen=True)
class Said:
    """A command as a resident sent it; ``offset`` None: the kill came before the answer."""

    resident: str
    id: str
    machine: str
    name: str
    offset: int | None = None


@dataclass
class BusyRoom:
    """The room, three residents, and everything that they were told was done."""

    edge: EdgeProcess
    chance: random.Random
    pages: list[tuple[str, httpx.AsyncClient]] = field(default_factory=list)
    accepted: dict[int, Said] = field(default_factory=dict)
    epochs: set[str] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)
    _number: int = 0

    async def join(self) -> None:
        for _ in range(3):
            headers = {"Origin": self.edge.origin}
            page = httpx.AsyncClient(base_url=self.edge.origin, headers=headers, timeout=10)
            joined = await page.post("/api/v1/join", json={"code": CODE})
            assert joined.status_code == 200, joined.text
            self.pages.append((joined.json()["resident"], page))

    async def one_life(self, *, killed_at_start: bool, longer_s: float = 0.0) -> None:
        """Start the edge, let residents and plug go on at it, kill it, and look at what it left.

        ``longer_s``: how much longer than usual it lives before the moment that chance picks.
        """
        if killed_at_start:
            self.edge.launch()
            await asyncio.sleep(self.chance.uniform(0.1, 0.7))
            self.edge.kill()
            await self.look([])
            return
        await asyncio.to_thread(self.edge.start)
        residents = [
            asyncio.create_task(self._goes_on(resident, page)) for resident, page in self.pages
        ]
        await asyncio.sleep(longer_s + self.chance.uniform(0.0, 0.4))
        self.edge.kill()
        said = await asyncio.gather(*residents)
        await self.look([one for some in said for one in some])

    async def _goes_on(self, resident: str, page: httpx.AsyncClient) -> list[Said]:
        done: list[Said] = []
        while True:
            self._number += 1
            machine = self.chance.choice(["w1", "w2", "w3"])
            name = self.chance.choice(list(SAID))
            said = Said(resident, f"c{self._number}", machine, name)
            body: dict[str, object] = {"id": said.id}
            if name == "start":
                body["minutes"] = 20
            try:
                got = await page.post(
                    f"/api/v1/rooms/{ROOM.key}/machines/{machine}/{name}", json=body
                )
            except httpx.TransportError:
                return [*done, said]
            assert got.status_code in {200, 403, 409}, got.text
            if got.status_code == 200:
                answer = CommandAnswer.model_validate(got.json())
                assert answer.durable
                assert answer.position is not None
                done.append(Said(resident, said.id, machine, name, answer.position.offset))

    async def look(self, said: list[Said]) -> None:
        """Compare what is on the disk with everything that was ever answered."""
        copy = self.edge.folder / "copy"
        copy_of(self.edge.data_dir, copy)
        store = await EdgeStore.open(copy / DATABASE)
        try:
            self.epochs.add(store.room.head.epoch)
            assert len(self.epochs) == 1
            for one in said:
                kept = await store.room.answer_to(one.resident, one.id)
                if one.offset is None and (kept is None or not kept.answer.ok):
                    continue  # nobody was told that it was done, and it was not
                assert kept is not None, f"lost: {one}"
                assert kept.answer.position is not None
                assert one.offset in {None, kept.answer.position.offset}
                self.accepted[kept.answer.position.offset] = one
            entries = await store.room.entries_after(0, 1_000_000)
            assert entries is not None
            assert [one.offset for one in entries] == list(range(1, store.room.head.offset + 1))
            assert entries[: len(self.entries)] == self.entries, "nothing that was is changed"
            self.entries = entries
            said_at = {event.offset for event in events(entries) if event.cause in SAID.values()}
            assert said_at == {caused_by(one, at, entries) for at, one in self.accepted.items()}
            assert folded(entries) == {
                record.machine: view(record) for record in await store.room.records()
            }, "no half state"
        finally:
            await store.close()


def copy_of(folder: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)


def events(entries: list[Entry]) -> Iterator[PublicEvent]:
    return (entry.event for entry in entries if entry.event is not None)


def folded(entries: list[Entry]) -> dict[str, MachineView]:
    """Lead every machine through its events; each must be a legal move from where it stood."""
    machines: dict[str, MachineView] = {}
    for event in events(entries):
        before = machines.get(event.machine.machine)
        if before is not None:
            assert is_legal(event.cause, before.phase, event.machine.phase), (before, event)
        machines[event.machine.machine] = event.machine
    return machines


def caused_by(said: Said, offset: int, entries: list[Entry]) -> int:
    """Return the offset of the event of an accepted command whose last event is at ``offset``.

    A machine that is released while its plug sees it run runs on as nobody's: two events.
    """
    for entry in reversed(entries[:offset]):
        assert entry.event is not None
        assert entry.event.machine.machine == said.machine, said
        if entry.event.cause is SAID[said.name]:
            return entry.offset
        assert entry.event.cause is Cause.CYCLE_STARTED, said
    raise AssertionError(f"no event of {said}")


def cycles(room: BusyRoom) -> list[object]:
    """When the cycles began that the plug showed; not those that a release let run on."""
    return [
        event.machine.started_at
        for event in events(room.entries)
        if event.cause is Cause.CYCLE_STARTED and event.offset not in room.accepted
    ]


async def _washes(power_w: list[float]) -> None:
    while True:
        for watts, seconds in ((400.0, WASH_S), (0.5, PAUSE_S)):
            power_w[0] = watts
            await asyncio.sleep(seconds)


async def _kill(tmp_path: Path, mosquitto: Mosquitto, kills: int) -> None:
    edge = EdgeProcess(
        tmp_path / "edge",
        mosquitto.settings,
        f"[testing]\nenabled = true\nclock_speed = {SPEED}\nclock_epoch_s = {time.time()}\n",
        machines=MACHINES,
    )
    store = await EdgeStore.open(edge.data_dir / DATABASE)
    await store.people.set_join_code(codes.digest(CODE), 10, None)
    await store.close()
    await asyncio.to_thread(edge.start)
    room = BusyRoom(edge, random.Random(kills))  # noqa: S311 -- a test's dice
    await room.join()
    edge.kill()
    running = 0
    async with RoomWatch.on(mosquitto.settings) as watch, plug(watch) as power_w:
        washes = asyncio.create_task(_washes(power_w))
        for number in range(kills):
            longer_s = RESTED_S if number % 2 else 0.0
            await room.one_life(killed_at_start=number % 4 == 3, longer_s=longer_s)
            running += folded(room.entries)["w1"].phase is Phase.IN_USE
        washes.cancel()
    for _, page in room.pages:
        await page.aclose()
    await asyncio.to_thread(edge.start)
    assert await asyncio.to_thread(edge.stop) == 0, edge.log
    assert all("Traceback" not in one.read_text() for one in edge.folder.glob("*.log"))
    assert len(room.accepted) >= kills, "it was busy"
    started = cycles(room)
    assert len(started) == len(set(started)) >= kills // 12, "no cycle was told twice"
    assert running >= kills // 12, "kills hit running cycles"


# Each kill is followed by a start, which takes a busy machine seconds.
@pytest.mark.timeout(400)
async def test_kill_9_at_any_moment_loses_nothing_and_leaves_no_half_state(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    await _kill(tmp_path, mosquitto, SHORT_KILLS)


@pytest.mark.full
@pytest.mark.timeout(1_200)
async def test_kill_9_two_hundred_times(tmp_path: Path, mosquitto: Mosquitto) -> None:
    await _kill(tmp_path, mosquitto, FULL_KILLS)
