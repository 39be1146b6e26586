"""``laundryd edge ...``: run the daemon of one laundry room, replay power traces through its detector."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
import uvloop

from laundryd.daemon import logs
from laundryd.daemon.settings import EXIT_SETTINGS, SettingsError, load_settings
from laundryd.daemon.settling import leave_out_unused
from laundryd.daemon.sqlite import MigrationError, disk_trouble
from laundryd.wire.machines import MachineKind

PASSWORD_VARIABLE: Final = "LAUNDRYD_EDGE_BROKER__PASSWORD"  # noqa: S105 -- a name, no password

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="The daemon of one laundry room."
)


def _stop(sentence: str, code: int) -> typer.Exit:
    typer.echo(f"laundryd edge: {sentence}", err=True)
    return typer.Exit(code)


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        readable=False,  # we say it better, and without a frame drawn around it in the journal
        help="TOML file; docs/settings-edge.md has every setting.",
    ),
]


@app.command()
def run(config: ConfigOption = None) -> None:
    """Run the room's daemon until SIGTERM."""
    leave_out_unused()
    # Only here: `edge replay` needs neither web server nor broker.
    from edge.app import Edge  # noqa: PLC0415
    from edge.errors import EdgeError  # noqa: PLC0415
    from edge.settings import EdgeSettings  # noqa: PLC0415
    from edge.sources.source import SourceError  # noqa: PLC0415

    try:
        settings = load_settings(EdgeSettings, config)
    except SettingsError as error:
        raise _stop("\n  ".join(["wrong settings:", *error.sentences]), EXIT_SETTINGS) from None
    logs.configure(settings.log_level, as_json=settings.log_json, always={"room": settings.ref.key})
    try:
        uvloop.run(Edge(settings).run())
    except (EdgeError, SourceError) as error:
        raise _stop(str(error), EXIT_SETTINGS) from None
    except (MigrationError, sqlite3.Error) as error:
        raise _stop(f"the database in {settings.data_dir} cannot be used: {error}", 1) from None
    except OSError as error:
        raise _stop(str(error), 1) from None


@app.command()
def replay(
    files: Annotated[
        list[Path], typer.Argument(help="CSV files of unix_s,watts, plain or .gz.", exists=True)
    ],
    kind: Annotated[MachineKind, typer.Option(help="What the machine does.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line an event.")] = False,  # noqa: FBT002
    picture: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE.png",
            help="Draw the power with its cycles; of several files each into its own.",
        ),
    ] = None,
) -> None:
    """Run the cycle detector over recorded power, as if live."""
    from edge.replay import run_replay  # noqa: PLC0415

    raise typer.Exit(run_replay(files, kind, as_json, sys.stdout, picture=picture))


@app.command()
def discover(  # noqa: PLR0917 -- typer passes each option by name
    config: ConfigOption = None,
    seconds: Annotated[float, typer.Option(help="How long to listen.", min=1, max=3600)] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a plug.")] = False,  # noqa: FBT002
    host: Annotated[str | None, typer.Option(help="The room's broker.")] = None,
    port: Annotated[int | None, typer.Option(help="Its port.", min=1, max=65535)] = None,
    username: Annotated[
        str | None,
        typer.Option(
            help=f"Its user; the password is asked for, or read from {PASSWORD_VARIABLE}."
        ),
    ] = None,
) -> None:
    """Listen to the room's broker and list what sounds like a metering plug, with its settings line.

    The broker is that of --config, or the options', which need no settings file.
    """
    from edge.discover import discover as listen  # noqa: PLC0415
    from edge.errors import BrokerUnreachableError  # noqa: PLC0415
    from edge.settings import EdgeSettings  # noqa: PLC0415
    from laundryd.daemon.mqtt import BrokerSettings  # noqa: PLC0415

    try:
        broker = load_settings(EdgeSettings, config).broker if config else BrokerSettings()
    except SettingsError as error:
        raise _stop("\n  ".join(["wrong settings:", *error.sentences]), EXIT_SETTINGS) from None
    given: dict[str, object] = {"host": host, "port": port}
    if username is not None:
        kept = os.environ.get(PASSWORD_VARIABLE)
        if kept is None:
            kept = typer.prompt(f"Password of {username}", hide_input=True, err=True)
        given |= {"username": username, "password": kept}
    asked = {name: value for name, value in given.items() if value is not None}
    # Plugs' own oddities are not this command's news.
    logs.configure("error", as_json=False)
    try:
        uvloop.run(
            listen(
                BrokerSettings.model_validate({**broker.model_dump(), **asked}),
                seconds,
                sys.stdout,
                as_json=as_json,
            )
        )
    except BrokerUnreachableError as error:
        raise _stop(str(error), 1) from None


@app.command()
def check(
    config: ConfigOption = None,
    seconds: Annotated[
        float, typer.Option(help="How long to wait for plugs.", min=1, max=600)
    ] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a finding.")] = False,  # noqa: FBT002
) -> None:
    """Say what the edge would do by its settings, and test whether it could; 1 when something fails."""
    from edge.check import check as look  # noqa: PLC0415
    from edge.settings import EdgeSettings  # noqa: PLC0415

    try:
        settings = load_settings(EdgeSettings, config)
    except SettingsError as error:
        raise _stop("\n  ".join(["wrong settings:", *error.sentences]), EXIT_SETTINGS) from None
    # What goes wrong is a line of the list.
    logs.configure("error", as_json=False)
    if not uvloop.run(look(settings, sys.stdout, seconds=seconds, as_json=as_json)):
        raise typer.Exit(1)


@app.command("join-code")
def join_code(config: ConfigOption = None) -> None:
    """Make a new join code for a room without a relay; the one before it ends."""
    from edge.checks.look import look_at_page  # noqa: PLC0415
    from edge.errors import JoinCodeError  # noqa: PLC0415
    from edge.local.codes import DATABASE, make_join_code  # noqa: PLC0415
    from edge.settings import EdgeSettings  # noqa: PLC0415

    try:
        settings = load_settings(EdgeSettings, config)
    except SettingsError as error:
        raise _stop("\n  ".join(["wrong settings:", *error.sentences]), EXIT_SETTINGS) from None
    if settings.cloud.enrolment is not None:
        raise _stop("this room is enrolled: make its join codes at the relay", EXIT_SETTINGS)
    # That it goes on in memory is the daemon's news; here it means that there is no code.
    logging.getLogger("laundryd.edge.store").setLevel(logging.CRITICAL)
    http = settings.http
    page = look_at_page(http.host, http.port, next(iter(http.hosts)), tls=http.certfile is not None)
    if page.store_trouble is not None:
        # What it has in memory replaces the code when it goes back to its disk.
        raise _stop(
            f"the edge runs from memory and would not know the code: {page.store_trouble}; mend "
            "that, wait until `laundryd edge check` says that it is on its disk, then make one",
            1,
        )
    try:
        code = uvloop.run(make_join_code(settings.data_dir))
    except JoinCodeError as error:
        raise _stop(str(error), 1) from None
    except (MigrationError, sqlite3.Error, OSError) as error:
        why = disk_trouble(error, settings.data_dir / DATABASE) or error
        raise _stop(f"the database in {settings.data_dir} cannot be used: {why}", 1) from None
    typer.echo(code)
