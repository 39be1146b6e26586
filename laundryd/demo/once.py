"""``laundryd demo --once``: the story, printed as it happens, as lines to read or as JSON lines."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Final

from laundryd.demo.broker import BrokerMissingError
from laundryd.demo.errors import DemoError
from laundryd.demo.people import live_in
from laundryd.demo.sightings import Sightings
from laundryd.demo.story import CAST, Step, Story
from laundryd.demo.town import LOOK_EVERY_S, Town
from laundryd.live.errors import LiveError

EXPECTED: Final = (DemoError, BrokerMissingError, LiveError)
"""What is told in a sentence; everything else is a bug of ours."""


async def play_once(*, speed: float, as_json: bool) -> int:
    """Play the story once; return the exit code: 0 if everybody saw every step once, else 1."""
    began_s = time.monotonic()
    show = _Lines(as_json=as_json)
    missing: list[str] = []
    doubled: list[str] = []
    error = ""
    try:
        async with Town(speed=speed) as town, asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(town.watch())
            sightings = Sightings()
            try:
                async with live_in(town, sightings, CAST) as residents:
                    story = Story(town, residents, sightings)
                    async for step in story.play():
                        show.step(step)
                        missing += step.missing
                    doubled = await story.afterwards()
            except Exception:
                # What a program that ended leaves behind is often noticed before the ending itself.
                await asyncio.sleep(LOOK_EVERY_S)
                raise
            watching.cancel()
    except BaseExceptionGroup as group:
        error = tell_group(group)
    except EXPECTED as one:
        error = str(one)
    show.end(
        missing=missing, doubled=doubled, error=error, seconds=round(time.monotonic() - began_s, 1)
    )
    return 1 if missing or doubled or error else 0


def tell_group(group: BaseExceptionGroup[BaseException]) -> str:
    """Return what went wrong, the ending of a program before what followed from it.

    Raises:
        BaseExceptionGroup: with what nobody expected.

    """
    known, unknown = group.split(EXPECTED)
    if unknown is not None or known is None:
        raise group
    errors = sorted(_leaves(known), key=lambda error: not isinstance(error, DemoError))
    return str(errors[0])


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


class _Lines:
    """Standard output: JSON lines and nothing else, or lines to read."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def step(self, step: Step) -> None:
        """Print one step of one machine."""
        if self._as_json:
            _json({**dataclasses.asdict(step), "ok": step.ok})
            return
        at = "--:--:--" if step.at is None else step.at[11:19]
        seen = " · ".join(
            f"{one.who}{' told' if one.what == 'notice' else ''} ({one.how}, {one.latency_ms} ms)"
            for one in step.seen
        )
        _line(f"{at}  {step.machine:2}  {step.step:11}  {seen}")
        for wrong in (*(f"missed   {one}" for one in step.missing), *step.doubled):
            _line(f"              {wrong}")

    def end(self, *, missing: list[str], doubled: list[str], error: str, seconds: float) -> None:
        """Print how the story ended."""
        ok = not (missing or doubled or error)
        if self._as_json:
            found: dict[str, object] = {"step": "story", "ok": ok, "seconds": seconds}
            found |= {"missing": missing, "doubled": doubled}
            _json({**found, "error": error} if error else found)
        elif ok:
            _line(f"Every step was seen by everyone who should see it, once. {seconds:.0f} s.")
        else:
            _line(f"Not as it should be, after {seconds:.0f} s:")
            for wrong in (
                *(f"missed   {one}" for one in missing),
                *(f"doubled  {one}" for one in doubled),
            ):
                _line(f"  {wrong}")
        if error:
            sys.stderr.write(f"laundryd demo: {error}\n")


def _json(line: dict[str, object]) -> None:
    _line(json.dumps(line, ensure_ascii=False))


def _line(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads any more (`| head`); the story goes on, for its exit code and a clean end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
