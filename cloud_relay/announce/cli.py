"""``laundryd relay announce`` and ``announcements``: the staff's page, from the relay's own computer."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from pydantic import ValidationError

from cloud_relay.announce.writing import Announcements
from cloud_relay.explaining import Config, explained, load
from cloud_relay.notify.store import Fate, of_resident
from cloud_relay.residents.bells import Bells
from cloud_relay.rooms.rooms import Rooms
from cloud_relay.settings import RelaySettings
from cloud_relay.staff.cli import clock_of, opened
from laundryd.daemon.settings import SettingsError
from laundryd.wire.announcements import (
    SHOWN_FOR_MIN,
    Announcement,
    AnnouncementBody,
    AnnouncementKind,
    Repeat,
)
from laundryd.wire.notices import Lang, render
from laundryd.wire.subscriptions import MySubscription

LISTED_NOTICES: Final = 100
announcements_app = typer.Typer(
    name="announcements", no_args_is_help=True, help="What staff has announced, and announces."
)
Done = TypeVar("Done")
Id = Annotated[str, typer.Argument(metavar="ID", help="As the list names it.")]


def announce(
    *,
    kind: Annotated[AnnouncementKind, typer.Option(help="What it is about.")] = (
        AnnouncementKind.OTHER
    ),
    everybody: Annotated[bool, typer.Option("--everybody", help="In all rooms.")] = False,
    site: Annotated[str | None, typer.Option(help="In all rooms of a site.")] = None,
    room: Annotated[str | None, typer.Option(help="In one room, SITE.ROOM.")] = None,
    machine: Annotated[str | None, typer.Option(help="A machine of --room.")] = None,
    title_ko: Annotated[str | None, typer.Option(help="At most 40 characters.")] = None,
    body_ko: Annotated[str | None, typer.Option(help="At most 120 characters.")] = None,
    title_en: Annotated[str | None, typer.Option(help="At most 40 characters.")] = None,
    body_en: Annotated[str | None, typer.Option(help="At most 120 characters.")] = None,
    at: Annotated[
        str | None,
        typer.Option(help="When, 2026-12-01T09:00 by --zone or with +09:00. [default: now]"),
    ] = None,
    repeat: Annotated[Repeat | None, typer.Option(help="From --at on, by --zone.")] = None,
    repeat_until: Annotated[str | None, typer.Option(help="Until then, written as --at.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone, such as Asia/Seoul.")] = None,
    shown_for_min: Annotated[int, typer.Option(help="Minutes that it is shown.")] = SHOWN_FOR_MIN,
    until: Annotated[
        str | None, typer.Option(help="Until when, written as --at, instead of the minutes.")
    ] = None,
    silent: Annotated[bool, typer.Option("--silent", help="Phones make no sound.")] = False,
    urgent: Annotated[bool, typer.Option("--urgent", help="Also in quiet hours.")] = False,
    replace: Annotated[
        str | None, typer.Option(metavar="ID", help="Write this in its place, before it goes.")
    ] = None,
    config: Config = None,
) -> None:
    """Announce something to the residents, now or at a time; one language is enough."""
    with explained():
        settings = load(config)
        if [everybody, site is not None, room is not None].count(True) != 1:
            raise SettingsError(
                ["name one of --everybody, --site, --room (and --machine in a room)"]
            )
        begins = _moment(at, zone, "--at")
        ends = _moment(until, zone, "--until")
        if ends is not None:
            now = clock_of(settings).now()
            shown_for_min = round((ends - (begins or now)).total_seconds() / 60)
        words = {Lang.KO: (title_ko, body_ko), Lang.EN: (title_en, body_en)}
        body = _body(
            {
                "kind": kind,
                "target": {"site": site, "room": room, "machine": machine},
                "texts": {
                    lang: {"title": title or "", "body": said or ""}
                    for lang, (title, said) in words.items()
                    if title is not None or said is not None
                },
                "sound": not silent,
                "urgent": urgent,
                "at": begins,
                "repeat": repeat,
                "zone": zone if repeat is not None else None,
                "repeat_until": _moment(repeat_until, zone, "--repeat-until"),
                "shown_for_min": shown_for_min,
            }
        )
        if replace is None:
            written = _with_desk(settings, lambda desk: desk.write(_author(), body))
        else:
            written = _with_desk(settings, lambda desk: desk.edit(replace, body))
    typer.echo(_line(written))
    if len(body.texts) < len(Lang):
        typer.echo("Readers of the other language are shown the same words.", err=True)


@announcements_app.command("list")
def announcements_list(config: Config = None) -> None:
    """List announcements, newest first, with state and counts of the newest time that each went."""
    with explained():
        found = _with_desk(load(config), lambda desk: desk.listed())
    for one in found:
        typer.echo(_line(one))
    if not found:
        typer.echo("Nothing was announced in the last 30 days.", err=True)


@announcements_app.command("cancel")
def announcements_cancel(announcement: Id, config: Config = None) -> None:
    """Take one back: it goes no more, and what is shown of it is shown no more."""
    with explained():
        cancelled = _with_desk(load(config), lambda desk: desk.cancel(announcement))
    typer.echo(_line(cancelled))


def notices(
    resident: Annotated[str, typer.Argument(help="The resident's id, from their app's menu.")],
    config: Config = None,
) -> None:
    """Say what a resident was told in the last 30 days, why or why not, and how their bells are."""
    with explained():
        settings = load(config)
        found, bells = asyncio.run(_fates_and_bells(settings, resident))
    for fate in found:
        last = fate.steps[-1] if fate.steps else None
        why = f" ({last.why})" if last is not None and last.why else ""
        title = render(fate.card, Lang.EN).title
        typer.echo(f"{fate.card.caused_at:%Y-%m-%d %H:%M} UTC  {title}: {fate.state}{why}")
    if not found:
        typer.echo("There is nothing: no such resident, or nothing to tell them.", err=True)
    for bell in bells:
        typer.echo(_bell(bell))
    if not bells:
        typer.echo("No device of theirs has its bell switched on.", err=True)


def _with_desk(settings: RelaySettings, do: Callable[[Announcements], Awaitable[Done]]) -> Done:
    async def run() -> Done:
        async with opened(settings) as db:
            rooms = Rooms(db, clock_of(settings))
            await rooms.load()
            return await do(Announcements(db, clock_of(settings), rooms))

    return asyncio.run(run())


async def _fates_and_bells(
    settings: RelaySettings, resident: str
) -> tuple[Sequence[Fate], Sequence[MySubscription]]:
    async with opened(settings) as db:
        fates = await of_resident(db, resident, LISTED_NOTICES)
        return fates, await Bells(db).of(resident, None)


def _bell(bell: MySubscription) -> str:
    sent = f", last push taken {bell.sent_at:%Y-%m-%d %H:%M} UTC" if bell.sent_at else ""
    fault = bell.fault
    went_wrong = f", {fault.kind} at {fault.at:%Y-%m-%d %H:%M} UTC" if fault else ""
    rings = "rings no more" if bell.lost else "rings"
    return f"{bell.name}: {rings}, app opened {bell.seen_at:%Y-%m-%d %H:%M} UTC{sent}{went_wrong}"


def _line(one: Announcement) -> str:
    counts = one.counts
    when = f", goes {one.next_at:%Y-%m-%d %H:%M} UTC" if one.next_at else ""
    until = f", until {one.shown_until:%Y-%m-%d %H:%M} UTC" if one.shown_until else ""
    told = (
        f"; {counts.addressed} addressed: {counts.read} read, {counts.on_socket} on a page, "
        f"{counts.pushed} pushed, {counts.app_only} in the app only, {counts.failed} failed, "
        f"{counts.waiting} waiting"
        if counts.addressed
        else ""
    )
    return f"{one.id}  {one.state}{when}{until}  {_target(one.body)}: {one.body.text(Lang.EN).title}{told}"


def _target(body: AnnouncementBody) -> str:
    target = body.target
    if target.room is not None:
        return f"{target.room}/{target.machine}" if target.machine else target.room
    return f"site {target.site}" if target.site else "everybody"


def _body(fields: dict[str, object]) -> AnnouncementBody:
    try:
        return AnnouncementBody.model_validate(fields)
    except ValidationError as error:
        raise SettingsError(
            [
                f"{'.'.join(str(part) for part in one['loc']) or 'announcement'}: {one['msg']}"
                for one in error.errors(include_input=False, include_url=False)
            ]
        ) from error


def _moment(text: str | None, zone: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        clocks = ZoneInfo(zone) if zone is not None else None
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        raise SettingsError([f"{option}: {text!r} by {zone!r} is no moment: {error}"]) from error
    if moment.tzinfo is None:
        if clocks is None:
            raise SettingsError([f"{option}: by which clocks is {text}? Give --zone, or +09:00"])
        moment = moment.replace(tzinfo=clocks)
    return moment


def _author() -> str:
    return getpass.getuser()
