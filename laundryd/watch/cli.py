"""The command ``laundryd watch ROOM``."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError

from laundryd.daemon import logs
from laundryd.live.errors import LiveError
from laundryd.live.web import Web
from laundryd.watch.follow import follow
from laundryd.watch.pass_file import Pass, PassFileError, default_path, read_pass, write_pass
from laundryd.wire.bodies import JoinBody
from laundryd.wire.ids import RoomKey

EXIT_REFUSED: Final = 1
EXIT_USAGE: Final = 2
_ROOM: Final[TypeAdapter[str]] = TypeAdapter(RoomKey)

app = typer.Typer(add_completion=False)


@app.command()
def watch(
    room: Annotated[str, typer.Argument(metavar="ROOM", help="Site and room: maple.basement.")],
    *,
    url: Annotated[
        str,
        typer.Option(help="The relay's address, or the room's own: https://laundry.example.org."),
    ],
    join: Annotated[
        bool,
        typer.Option(
            "--join", help="Ask for the room's join code first, and keep the pass it gives."
        ),
    ] = False,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="Where the pass is kept, for this server alone and readable by you alone; "
            "by default below ~/.config/laundryd/watch.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, nothing else.")
    ] = False,
) -> None:
    """Follow a room from this terminal: one line an event, through every restart of the server."""
    logs.configure("error")
    try:
        _ROOM.validate_python(room)
    except ValidationError:
        raise _stop(
            f"{room!r} is no room: write site.room, as in maple.basement", EXIT_USAGE
        ) from None
    try:
        web = Web(url)
    except ValueError as error:
        raise _stop(str(error), EXIT_USAGE) from None
    path = token_file or default_path(web.origin, dict(os.environ), Path.home())
    try:
        if join:
            asyncio.run(_join(web, path))
        else:
            web.token = read_pass(path, web.origin).token
        ended = asyncio.run(_until_told(web, room, as_json=as_json))
    except (PassFileError, LiveError) as error:
        raise _stop(str(error), EXIT_REFUSED) from None
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # `| head` has read enough. What is still buffered has nowhere to go, and Python would say so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    if ended is not None:
        raise _stop(str(ended), EXIT_REFUSED)


async def _join(web: Web, path: Path) -> None:
    """Exchange the join code for a pass. The code comes from a prompt: a command line is seen by others."""
    sys.stderr.write("Join code: ")
    sys.stderr.flush()
    code = await asyncio.to_thread(sys.stdin.readline)
    try:
        body = JoinBody(code=code, device_name="Terminal")
    except ValidationError:
        raise PassFileError("that is no join code: it has 6 to 20 characters") from None
    await web.join(body)
    if web.token is None:
        raise PassFileError(f"{web.origin} took the code but gave no token")
    write_pass(path, Pass(origin=web.origin, token=web.token))


async def _until_told(web: Web, room: RoomKey, *, as_json: bool) -> LiveError | None:
    """Follow until it is over; SIGTERM ends it as Ctrl-C does."""
    task = asyncio.ensure_future(follow(web, room, as_json=as_json, write=_write))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _stop(sentence: str, code: int) -> typer.Exit:
    typer.echo(f"laundryd watch: {sentence}", err=True)
    return typer.Exit(code)
