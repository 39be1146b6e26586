"""``laundryd relay room add``: a room's credential, its place in the database, its codes and its file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from cloud_relay.enrol.mosquitto import BrokerFiles, new_password, room_acl, room_user
from cloud_relay.errors import RoomExistsError, SetupError
from cloud_relay.migrations import MIGRATIONS
from cloud_relay.residents.join_codes import JoinCodes, JoinLimits
from cloud_relay.rooms.rooms import Rooms
from cloud_relay.settings import RelaySettings
from laundryd.daemon.clock import Clock
from laundryd.daemon.enrolment import Enrolment, write_enrolment
from laundryd.daemon.mqtt import BrokerSettings
from laundryd.daemon.sqlite import open_database
from laundryd.daemon.tokens import SigningKey
from laundryd.wire.ids import RoomRef

NAME_MAX: Final = 40
"""Characters of a room's name, the wire's own limit."""


@dataclass(frozen=True, slots=True)
class AddedRoom:
    """A room that is enrolled. ``join_url`` carries the code in its fragment; show it, never log it."""

    room: RoomRef
    join_code: str
    join_url: str
    enrolment_file: Path


async def add_room(
    settings: RelaySettings,
    room: RoomRef,
    name: str,
    *,
    cap: int | None = None,
    enrolment_file: Path | None = None,
) -> AddedRoom:
    """Enrol ``room``; ``cap`` None: the setting ``join.cap``. May run beside the relay.

    Raises:
        RoomExistsError: it is enrolled already.
        SetupError: ``relay init`` was not run, its files cannot be read, or ``name`` is too long.

    """
    _require_init(settings)
    if not 1 <= len(name.strip()) <= NAME_MAX:
        raise SetupError(f"{name!r} is no name for a room: 1 to {NAME_MAX} characters fit the page")
    db = await open_database(settings.database, MIGRATIONS)
    try:
        rooms = Rooms(db, _clock(settings))
        await rooms.load()
        if await rooms.known(room.key):
            raise RoomExistsError(
                f"{room.key} is enrolled already; `laundryd relay room code` makes a new join code "
                "for it, `laundryd relay room renew` a new credential and enrolment file"
            )
        await rooms.enroll(room.key, name)
        code = await _new_code(settings, JoinCodes(db, _limits(settings)), room, cap)
    finally:
        await db.close()
    path = enrolment_file or _enrolment_path(settings, room)
    _write_credential(settings, room, path)
    return AddedRoom(room, code, join_url(settings, code), path)


async def new_join_code(settings: RelaySettings, room: RoomRef, *, cap: int | None = None) -> str:
    """Make a new join code for an enrolled room; the one before opens no more.

    Raises:
        SetupError: the room is not enrolled, or ``relay init`` was not run.

    """
    _require_init(settings)
    db = await open_database(settings.database, MIGRATIONS)
    try:
        rooms = Rooms(db, _clock(settings))
        if not await rooms.known(room.key):
            raise SetupError(f"{room.key} is not enrolled; run `laundryd relay room add` first")
        return await _new_code(settings, JoinCodes(db, _limits(settings)), room, cap)
    finally:
        await db.close()


async def renew_room(
    settings: RelaySettings, room: RoomRef, enrolment_file: Path | None = None
) -> Path:
    """Give an enrolled room a fresh credential; return its new enrolment file.

    Raises:
        SetupError: the room is not enrolled, or ``relay init`` was not run.

    """
    _require_init(settings)
    db = await open_database(settings.database, MIGRATIONS)
    try:
        rooms = Rooms(db, _clock(settings))
        known = await rooms.known(room.key)
    finally:
        await db.close()
    if not known:
        raise SetupError(f"{room.key} is not enrolled; run `laundryd relay room add` first")
    path = enrolment_file or _enrolment_path(settings, room)
    _write_credential(settings, room, path)
    return path


def _enrolment_path(settings: RelaySettings, room: RoomRef) -> Path:
    return settings.data_dir / "enrolments" / f"{room.key}.toml"


def _write_credential(settings: RelaySettings, room: RoomRef, path: Path) -> None:
    password, files = new_password(), BrokerFiles(settings.broker_files)
    files.set_password(room_user(room), password)
    files.set_rules(room_acl(room))
    edge = settings.edge_broker
    write_enrolment(
        path,
        Enrolment(
            site=room.site,
            room=room.room,
            relay_url=settings.http.public_url,
            broker=BrokerSettings(
                host=edge.host,
                port=edge.port,
                tls=edge.tls,
                username=room_user(room),
                password=SecretStr(password),
            ),
            enrolment_key=SigningKey.load_or_create(settings.keys.enrolment).verify_key,
        ),
    )


def join_url(settings: RelaySettings, code: str) -> str:
    """Return the address that the QR picture in the room holds; the code stands in the fragment."""
    return f"{settings.http.public_url}/#join={code}"


async def _new_code(
    settings: RelaySettings, codes: JoinCodes, room: RoomRef, cap: int | None
) -> str:
    now = _clock(settings).real_now()
    days = settings.join.code_days
    expires_at = None if days is None else now + timedelta(days=days)
    return await codes.rotate(room.key, cap or settings.join.cap, now, expires_at)


def _clock(settings: RelaySettings) -> Clock:
    return Clock(settings.testing.clock_speed, settings.testing.clock_epoch_s)


def _limits(settings: RelaySettings) -> JoinLimits:
    return JoinLimits(settings.join.tries_per_address_h, settings.join.joins_per_room_h)


def _require_init(settings: RelaySettings) -> None:
    if not settings.keys.enrolment.exists():
        raise SetupError(
            f"{settings.keys.enrolment}: is missing; run `laundryd relay init` first, "
            "with the same --config"
        )
