"""A room that is busy until it is killed: ``python busy_room.py STORE SEED``.

Prints ``id offset`` for each accepted command, after the writer has answered.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from edge.room.reconcile import MachineSetup
from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.wire.commands import CommandName, CommandParams, ResidentCommand
from laundryd.wire.ids import RoomRef
from laundryd.wire.machines import MachineKind

ROOM = RoomRef(site="maple-hall", room="basement")
SETUPS = [MachineSetup(f"w{n}", MachineKind.WASHER, f"Washer {n}", has_plug=False) for n in (1, 2)]


async def busy(path: Path, seed: str) -> None:
    """Let two residents say random words for ever."""
    chance = random.Random(seed)  # noqa: S311 -- a test's dice
    writer = await RoomWriter.open(ROOM, SETUPS, await EdgeStore.open(path), Clock())
    for number in range(1_000_000):
        command = ResidentCommand(
            id=f"{seed}-{number}",
            resident=chance.choice(["anna", "ben"]),
            machine=chance.choice(["w1", "w2"]),
            name=chance.choice(list(CommandName)),
            params=CommandParams(minutes=chance.choice([None, 30])),
        )
        answer = await writer.command(command)
        if answer.position is not None:
            print(command.resident, command.id, answer.position.offset, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(busy(Path(sys.argv[1]), sys.argv[2]))
