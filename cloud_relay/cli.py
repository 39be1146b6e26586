"""The command ``laundryd relay``: set the relay up, enrol rooms, run it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import segno
import typer

from cloud_relay.announce.cli import announce, announcements_app, notices
from cloud_relay.enrol.init import RelayPlan, initialise
from cloud_relay.enrol.mosquitto import Listeners
from cloud_relay.enrol.rooms import AddedRoom, add_room, join_url, new_join_code, renew_room
from cloud_relay.explaining import DEFAULT_DATA_DIR, Config, explained, load
from cloud_relay.push.keys import OLD_KEY_LIFE, old_path, rotate, set_aside
from cloud_relay.residents.cli import revoke
from cloud_relay.settings import RelaySettings
from cloud_relay.staff.cli import staff_app
from laundryd.daemon.settings import SettingsError
from laundryd.daemon.tokens import SigningKey
from laundryd.wire.ids import RoomRef

app = typer.Typer(
    name="relay",
    no_args_is_help=True,
    add_completion=False,
    help="The relay: rooms, residents, and pushes.",
)
room_app = typer.Typer(name="room", no_args_is_help=True, help="Enrol laundry rooms.")
app.add_typer(room_app)
keys_app = typer.Typer(name="keys", no_args_is_help=True, help="The relay's own keys.")
app.add_typer(keys_app)
app.add_typer(staff_app)
app.add_typer(announcements_app)
app.command()(announce)
app.command()(notices)
app.command()(revoke)

Cap = Annotated[
    int | None, typer.Option(min=1, help="Residents the code lets in. [default: join.cap]")
]
RoomName = Annotated[str, typer.Argument(metavar="SITE.ROOM", help="Like maple-hall.basement.")]


@app.command()
def run(config: Config = None) -> None:
    """Run the relay until SIGTERM or Ctrl-C."""
    # Imported here: the other words need no web server, and start at once.
    from cloud_relay.app import run_relay  # noqa: PLC0415 -- see above

    with explained():
        run_relay(load(config))


@app.command()
def init(
    *,
    public_url: Annotated[str, typer.Option(help="Address that residents open, https.")],
    vapid_subject: Annotated[
        str, typer.Option(help="Whom push services may write to: mailto:NAME@DOMAIN.")
    ],
    data_dir: Annotated[Path, typer.Option(help="Database, keys.")] = DEFAULT_DATA_DIR,
    config: Annotated[
        Path | None, typer.Option(help="Settings file to make. [default: relay.toml in --data-dir]")
    ] = None,
    mosquitto_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of the broker's files. [default: mosquitto/ in --data-dir]"),
    ] = None,
    broker_port: Annotated[
        int, typer.Option(min=1, max=65535, help="The broker's port for the relay, on 127.0.0.1.")
    ] = 1883,
    broker_host: Annotated[
        str | None, typer.Option(help="The broker's name for edges. [default: as in --public-url]")
    ] = None,
    broker_tls_cert: Annotated[
        Path | None, typer.Option(help="The broker's certificate chain, PEM.")
    ] = None,
    broker_tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    broker_tls_port: Annotated[
        int, typer.Option(min=1, max=65535, help="The broker's port for edges, over TLS.")
    ] = 8883,
) -> None:
    """Make what the relay and its broker need. Nothing that is there is overwritten."""
    with explained():
        if (broker_tls_cert is None) != (broker_tls_key is None):
            raise SettingsError(["--broker-tls-cert and --broker-tls-key are given together"])
        has_tls = broker_tls_cert is not None
        done = initialise(
            RelayPlan(
                data_dir=data_dir,
                config=config or data_dir / "relay.toml",
                public_url=public_url,
                vapid_subject=vapid_subject,
                listeners=Listeners(
                    broker_port,
                    broker_tls_port,
                    broker_tls_cert and broker_tls_cert.resolve(),
                    broker_tls_key and broker_tls_key.resolve(),
                ),
                edge_host=broker_host
                or (urlsplit(public_url).hostname if has_tls else None)
                or "127.0.0.1",
                mosquitto_dir=mosquitto_dir,
            )
        )
    for path in done.made:
        typer.echo(f"made {path}")
    if not done.made:
        typer.echo("everything was there already; nothing was changed")
    folder = done.settings.broker_files
    typer.echo(
        f"\nNext:\n"
        f"  1. Let Mosquitto read {folder}, and include {folder / 'laundryd.conf'} "
        "(deploy/mosquitto/README.md shows how).\n"
        f"  2. laundryd relay room add SITE.ROOM --name NAME --config {config or data_dir / 'relay.toml'}\n"
        f"  3. laundryd relay run --config {config or data_dir / 'relay.toml'}"
    )
    if not has_tls:
        typer.echo(
            "The broker listens on this computer only: edges elsewhere need --broker-tls-cert."
        )


@room_app.command("add")
def room_add(
    room: RoomName,
    name: Annotated[str, typer.Option(help="What residents read, at most 40 characters.")],
    cap: Cap = None,
    config: Config = None,
    enrolment_file: Annotated[
        Path | None, typer.Option(help="[default: enrolments/SITE.ROOM.toml in the data folder]")
    ] = None,
) -> None:
    """Enrol a room: its credential at the broker, its join code, and the file for its edge."""
    with explained():
        settings = load(config)
        added = asyncio.run(
            add_room(settings, _room(room), name, cap=cap, enrolment_file=enrolment_file)
        )
    _show_code(added.join_code, added.join_url)
    _show_next(added, settings)


@room_app.command("code")
def room_code(room: RoomName, cap: Cap = None, config: Config = None) -> None:
    """Make a new join code for a room; the one before lets nobody in any more."""
    with explained():
        settings = load(config)
        code = asyncio.run(new_join_code(settings, _room(room), cap=cap))
    _show_code(code, join_url(settings, code))


@room_app.command("renew")
def room_renew(
    room: RoomName,
    config: Config = None,
    enrolment_file: Annotated[
        Path | None, typer.Option(help="[default: enrolments/SITE.ROOM.toml in the data folder]")
    ] = None,
) -> None:
    """Make a new credential and enrolment file for a room; the old password ends at the reload."""
    with explained():
        settings = load(config)
        path = asyncio.run(renew_room(settings, _room(room), enrolment_file))
    typer.echo(f"made {path}")
    _show_reload()


@keys_app.command("rotate")
def keys_rotate(
    *,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="The key that signs residents' tokens instead.")
    ] = False,
    config: Config = None,
) -> None:
    """Make a new key for pushes: apps move to it at their next start, and nobody misses any.

    With --tokens the one for residents' tokens: nobody is signed out.
    """
    with explained():
        settings = load(config)
        path = settings.keys.signing if tokens else settings.keys.vapid
        if tokens:
            set_aside(path, SigningKey.load_or_create)
        else:
            rotate(path, settings.push.vapid_subject)
    typer.echo(
        f"made {path}; the key before is in {old_path(path)} while it is needed, "
        f"{OLD_KEY_LIFE.days} days at most.\n"
        "Now restart the relay: sudo systemctl restart laundryd-relay."
    )


def _show_code(code: str, url: str) -> None:
    typer.echo(f"join code   {code}")
    typer.echo(f"join at     {url}\n")
    segno.make(url, error="m").terminal(out=sys.stdout, compact=True)


def _show_next(added: AddedRoom, settings: RelaySettings) -> None:
    edge = settings.edge_broker
    typer.echo(
        f"\nThe join code is shown only now. {added.enrolment_file} is for the room's computer: "
        f"copy it there by a safe way; its edge will reach the broker at {edge.host}:{edge.port}"
        f"{' over TLS' if edge.tls else ''}."
    )
    _show_reload()


def _show_reload() -> None:
    typer.echo(
        "Now let the broker read its files again: sudo systemctl reload mosquitto (or SIGHUP)."
    )


def _room(key: str) -> RoomRef:
    try:
        return RoomRef.from_key(key)
    except ValueError as error:
        raise SettingsError([str(error)]) from error
