from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from edge.room.view import view
from edge.store.edge_store import EdgeStore
from edge.store.room_documents import kept_waits
from laundryd.wire.events import Waiting
from laundryd.wire.machines import MachineView

KILLS = 8
BUSY_ROOM = Path(__file__).with_name("busy_room.py")


async def _run_and_kill(path: Path, seed: str, after_commands: int) -> list[list[str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, BUSY_ROOM, path, seed, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(after_commands)]
    process.kill()
    rest = await process.stdout.read()
    await process.wait()
    whole = [line for line in (*lines, *rest.splitlines(keepends=True)) if line.endswith(b"\n")]
    return [line.decode().split() for line in whole]


async def test_kill_9_at_any_moment_loses_no_accepted_command_and_leaves_no_half_state(
    store_path: Path,
) -> None:
    chance = random.Random(9)  # noqa: S311 -- a test's dice
    epochs: set[str] = set()
    accepted: list[list[str]] = []
    for number in range(KILLS):
        accepted += await _run_and_kill(store_path, f"run{number}", chance.randint(1, 40))
        store = await EdgeStore.open(store_path)
        epochs.add(store.room.head.epoch)
        for resident, command, offset in accepted:
            kept = await store.room.answer_to(resident, command)
            assert kept is not None
            assert kept.answer.position is not None
            assert kept.answer.position.offset == int(offset)
        entries = await store.room.entries_after(0, 100_000)
        assert entries is not None
        assert [entry.offset for entry in entries] == list(range(1, store.room.head.offset + 1))
        last: dict[str, MachineView] = {}
        waiting: dict[str, Waiting] = {}
        for entry in entries:
            if entry.waiting is not None:
                waiting[entry.waiting.resident] = entry.waiting
                continue
            assert entry.event is not None
            last[entry.event.machine.machine] = entry.event.machine
        assert last == {record.machine: view(record) for record in await store.room.records()}
        waits = await kept_waits(store.documents)
        assert all(waits.of(resident) == told for resident, told in waiting.items())
        await store.close()
    assert len(epochs) == 1
    assert len(accepted) >= KILLS
