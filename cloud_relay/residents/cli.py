"""``laundryd relay revoke``: sign a resident, or one device of theirs, out everywhere."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from cloud_relay.explaining import EXIT_REFUSED, Config, explained, load
from cloud_relay.notify.store import forget_in
from cloud_relay.residents.people import People
from cloud_relay.settings import RelaySettings
from cloud_relay.staff.cli import clock_of, opened
from laundryd.daemon.sqlite import transaction


def revoke(
    resident: Annotated[str, typer.Argument(help="The resident's number, from their app's menu.")],
    device: Annotated[
        str | None,
        typer.Option(help="Sign out this device of theirs alone. [default: all, and forget them]"),
    ] = None,
    config: Config = None,
) -> None:
    """Sign a resident out of the relay at once, and of every room within a minute."""
    with explained():
        count = asyncio.run(_revoke(load(config), resident, device))
    if count == 0:
        typer.echo(f"{resident} has no such device, or is not known here.", err=True)
        raise typer.Exit(EXIT_REFUSED)
    typer.echo("1 device is signed out." if count == 1 else f"{count} devices are signed out.")


async def _revoke(settings: RelaySettings, resident: str, device: str | None) -> int:
    async with opened(settings) as db:
        people, now = People(db), clock_of(settings).real_now()
        if device is None:
            async with transaction(db) as held:
                await forget_in(held, resident)
            return len(await people.forget(resident, now))
        if await people.person(resident, device) is None:
            return 0
        await people.revoke(resident, device, now)
        return 1
