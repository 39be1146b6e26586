"""The command ``laundryd demo``: everything on this computer, with simulated machines and residents."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Annotated, Final

import typer

from laundryd.daemon import logs
from laundryd.demo.once import EXPECTED, play_once, tell_group

SPEED_MAX: Final = 120
"""At 120 the room waits 2.5 s of real time for a registered machine to start; faster, a slow computer
would be late."""
EXIT_FAILED: Final = 1
EXIT_SIGNAL: Final = 128
"""Added to a signal's number: the exit code of a program that it ended."""

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    *,
    speed: Annotated[
        float, typer.Option(min=1, max=SPEED_MAX, help="Room seconds in a second.")
    ] = 60.0,
    once: Annotated[
        bool, typer.Option("--once", help="Play one story, say who saw what, and end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --once: one JSON line a step, nothing else.")
    ] = False,
) -> None:
    """Run a whole laundry room here: brokers, relay, edge, six simulated machines, three residents."""
    if as_json and not once:
        raise typer.BadParameter("--json goes with --once")
    logs.configure("error")
    work = play_once(speed=speed, as_json=as_json) if once else _run(speed)
    code, interrupted = asyncio.run(_until_told(work))
    if interrupted is not None:
        code = EXIT_SIGNAL + interrupted if once else 0
    raise typer.Exit(code)


async def _run(speed: float) -> int:
    """Run the town until Ctrl-C; return the exit code if it ends before."""
    # Only here: a story needs neither colours nor QR pictures.
    from laundryd.demo.account import Account  # noqa: PLC0415
    from laundryd.demo.life import CAST, Life  # noqa: PLC0415
    from laundryd.demo.people import live_in  # noqa: PLC0415
    from laundryd.demo.sightings import Sightings  # noqa: PLC0415
    from laundryd.demo.town import Town  # noqa: PLC0415

    sys.stdout.write("Starting brokers, relay, edge and plugs ...\n")
    sys.stdout.flush()
    account = Account()
    try:
        async with Town(speed=speed) as town, asyncio.TaskGroup() as tasks:
            tasks.create_task(town.watch())
            account.welcome(town)
            async with live_in(town, Sightings(account.saw), CAST) as residents:
                await Life(town, residents, account).run()
    except BaseExceptionGroup as group:
        error = tell_group(group)
    except EXPECTED as one:
        error = str(one)
    sys.stderr.write(f"laundryd demo: {error}\n")
    return EXIT_FAILED


async def _until_told(work: Coroutine[None, None, int]) -> tuple[int, int | None]:
    """Do ``work``; return its exit code and the signal that ended it early, if one did."""
    told: list[int] = []
    task = asyncio.ensure_future(work)

    def stop(number: int) -> None:
        if not told:  # once: a second Ctrl-C must not break off the ending
            told.append(number)
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    try:
        return await task, None
    except asyncio.CancelledError:
        if not told:
            raise
        sys.stderr.write("\nlaundryd demo: everything was ended\n")
        return 0, told[0]
