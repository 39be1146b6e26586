"""``laundryd relay staff``: who may announce, and their sign-in links."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import aiosqlite
import typer
from pydantic import TypeAdapter, ValidationError

from cloud_relay.errors import SetupError
from cloud_relay.explaining import EXIT_REFUSED, Config, explained, load
from cloud_relay.migrations import MIGRATIONS
from cloud_relay.settings import RelaySettings
from cloud_relay.staff.people import Staff, StaffRow
from laundryd.daemon.clock import Clock
from laundryd.daemon.settings import SettingsError
from laundryd.daemon.sqlite import open_database
from laundryd.wire.announcements import StaffName

staff_app = typer.Typer(name="staff", no_args_is_help=True, help="Who may announce.")
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="What colleagues read, at most 40 characters.")
]


@staff_app.command("add")
def staff_add(name: Name, config: Config = None) -> None:
    """Add somebody, or make a new link for who is there; it signs one device in, once, within a day."""
    with explained():
        settings = load(config)
        secret = asyncio.run(_add(settings, _named(name)))
    typer.echo(f"{settings.http.public_url}/#staff={secret}")
    typer.echo("Send it to nobody else: who opens it first is signed in as them.", err=True)


@staff_app.command("list")
def staff_list(config: Config = None) -> None:
    """List the staff: since when, on how many devices they are signed in, until when a link is open."""
    with explained():
        rows = asyncio.run(_list(load(config)))
    for row in rows:
        link = f", link until {row.link_until:%Y-%m-%d %H:%M} UTC" if row.link_until else ""
        typer.echo(f"{row.name}: since {row.added_at:%Y-%m-%d}, signed in {row.signed_in}{link}")
    if not rows:
        typer.echo("There is no staff; `laundryd relay staff add NAME` adds somebody.", err=True)


@staff_app.command("revoke")
def staff_revoke(name: Name, config: Config = None) -> None:
    """Sign somebody out everywhere, at once; what they announced stands."""
    with explained():
        known = asyncio.run(_revoke(load(config), name))
    if not known:
        typer.echo(f"There is no staff of the name {name}; `laundryd relay staff list`.", err=True)
        raise typer.Exit(EXIT_REFUSED)
    typer.echo(f"{name} is signed out.")


@asynccontextmanager
async def opened(settings: RelaySettings) -> AsyncIterator[aiosqlite.Connection]:
    """Open the relay's database, also beside a relay that runs.

    Raises:
        SetupError: ``relay init`` was not run.

    """
    if not settings.keys.signing.exists():
        raise SetupError(
            f"{settings.keys.signing}: is missing; run `laundryd relay init` first, "
            "with the same --config"
        )
    db = await open_database(settings.database, MIGRATIONS)
    try:
        yield db
    finally:
        await db.close()


def clock_of(settings: RelaySettings) -> Clock:
    """Return the clock of the relay with these settings."""
    return Clock(settings.testing.clock_speed, settings.testing.clock_epoch_s)


async def _add(settings: RelaySettings, name: str) -> str:
    async with opened(settings) as db:
        secret, _ = await Staff(db).invite(name, clock_of(settings).real_now())
    return secret


async def _list(settings: RelaySettings) -> list[StaffRow]:
    async with opened(settings) as db:
        return await Staff(db).everybody(clock_of(settings).real_now())


async def _revoke(settings: RelaySettings, name: str) -> bool:
    async with opened(settings) as db:
        return await Staff(db).revoke(name)


def _named(name: str) -> str:
    try:
        return TypeAdapter(StaffName).validate_python(name)
    except ValidationError as error:
        raise SettingsError([f"{name!r} is no name: 1 to 40 characters"]) from error
