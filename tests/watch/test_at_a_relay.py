"""At a relay: through its kill and its edge's, a terminal is told each event once, in order."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from laundryd.demo.people import Place, live_in
from laundryd.demo.sightings import Sightings
from laundryd.demo.town import Town
from laundryd.wire.commands import CommandName
from tests.watch.terminal import Terminal, watching

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def told(terminal: Terminal, **wanted: str) -> list[dict[str, object]]:
    """Return what was told up to and with the first that has all these values."""

    def has_them(text: str) -> bool:
        found = json.loads(text)
        return all(found.get(key) == value for key, value in wanted.items())

    return [json.loads(text) for text in await asyncio.to_thread(terminal.until, has_them)]


async def test_a_killed_relay_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with Town(speed=1) as town, live_in(town, Sightings(), [("ann", Place.AWAY)]) as (ann,):
        where = (town.relay_url, town.room.key, tmp_path)
        with watching(*where, "--join", "--json", code=f"{town.join_code}\n") as terminal:
            seen = await told(terminal, type="connection", state="live")
            await ann.ask("w1", CommandName.CLAIM)
            seen += await told(terminal, type="event", cause="claimed")
            await town.kill_relay()
            seen += await told(terminal, type="connection", state="connecting")
            await town.start_relay()
            seen += await told(terminal, type="connection", state="live")
            await ann.connected()
            await town.kill_edge()
            seen += await told(terminal, type="room_status")
            await town.start_edge()
            await ann._room_is_heard()
            await ann.ask("w1", CommandName.RELEASE)
            seen += await told(terminal, type="event", cause="released")
    assert [item["type"] for item in seen].count("room") == 1
    events = [item for item in seen if item["type"] == "event"]
    offsets = [item["offset"] for item in events]
    assert offsets == sorted(set(offsets), key=lambda offset: int(str(offset)))
    assert events[0]["cause"] == "claimed"
    assert all(
        later["follows"] == offset for offset, later in zip(offsets, events[1:], strict=False)
    )
