"""Real power, published over MQTT at 600 times, is seen as washes on the relay's page."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from laundryd.demo.people import Place, live_in
from laundryd.demo.sightings import Sightings
from laundryd.demo.town import Town
from tests.e2e.browsers.fixtures import NewChromium
from tests.e2e.town import join, shows

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TRACES = Path(__file__).parents[2].parent / "shared" / "traces"
TRACE = TRACES / "washer_d338c9.csv.gz"
CYCLES = TRACES / "washer_d338c9.cycles.csv"
SPEED = 600.0
BEFORE_S = 300
AFTER_S = 1_200
"""Room seconds of the recording that are played around a wash; the days between are left out."""
TOLERANCE = timedelta(minutes=3)
"""The record is true to a minute or two, and a stall of 100 ms is a minute at this speed."""


@dataclass(frozen=True)
class Wash:
    started_s: int
    ended_s: int
    samples: list[tuple[int, float]]


def first_washes(count: int) -> Iterator[Wash]:
    with CYCLES.open() as lines:
        rows = [row for _, row in zip(range(count), csv.reader(list(lines)[1:]), strict=False)]
    spans = [(int(row[0]), int(row[2])) for row in rows]
    with gzip.open(TRACE, "rt") as lines:
        samples = [(int(at), float(watts)) for at, watts in csv.reader(list(lines)[1:])]
    for started_s, ended_s in spans:
        near = range(started_s - BEFORE_S, ended_s + AFTER_S)
        yield Wash(started_s, ended_s, [one for one in samples if one[0] in near])


async def play(town: Town, wash: Wash) -> dict[int, datetime]:
    """Publish a wash in its own time; return when each sample truly left, in room time.

    A busy machine publishes late, and a tenth of a second is a minute of the room's.
    """
    first_s = wash.samples[0][0]
    begins_at = town.clock.now()
    left_at: dict[int, datetime] = {}
    for at_s, power_w in wash.samples:
        await town.clock.sleep_until(begins_at + timedelta(seconds=at_s - first_s))
        left_at[at_s] = town.clock.now()
        assert await town.plug("w1").say_power(power_w)
    return left_at


@pytest.mark.skipif(not TRACE.is_file(), reason="needs ../shared/traces, which is not here")
async def test_the_first_three_washes_start_and_end_on_the_relays_page(
    new_chromium: NewChromium,
) -> None:
    async with (
        Town(speed=SPEED, plugs_speak=False) as town,
        live_in(town, Sightings(), [("watcher", Place.AWAY)]) as (watcher,),
    ):
        page = await (await new_chromium()).new_page()
        await join(page, town)
        played = 0
        for wash in first_washes(3):
            left_at = await play(town, wash)
            await shows(page, "w1", "finished")
            view = next(one for one in (await watcher.room()).machines if one.machine == "w1")
            assert view.started_at is not None
            assert view.ended_at is not None
            started_at = left_at[wash.started_s]
            ended_at = left_at[wash.ended_s]
            assert abs(view.started_at - started_at) <= TOLERANCE
            assert abs(view.ended_at - ended_at) <= TOLERANCE
            played += 1
        assert played == 3
