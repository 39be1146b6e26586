"""Who lives in the simulated house, and the relay's first database with them in it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final

from cloud_relay.migrations import MIGRATIONS
from cloud_relay.residents.tokens import Tokens
from cloud_relay.rooms.rooms import Rooms
from cloud_relay.settings import RelaySettings
from laundryd.daemon.clock import Clock
from laundryd.daemon.enrolment import Enrolment
from laundryd.daemon.mqtt import BrokerSettings
from laundryd.daemon.sqlite import open_database, transaction
from laundryd.daemon.tokens import SigningKey
from laundryd.wire.times import to_rfc3339
from tests.model.clocks import START
from tests.model.programs import ROOM

PUBLIC_URL: Final = "https://laundry.example.org"
JOINED_AT: Final = START - timedelta(days=2)
"""Long enough ago that no clock that is an hour wrong takes a token for one from the future."""
MEMBERS: Final = ("anna", "ben", "cleo")
STRANGER: Final = "zoe"
"""Has an account at the relay and never joined the room."""


@dataclass(frozen=True)
class House:
    """Copies of ``folder`` begin each world. ``tokens``: resident -> token, at the relay and the room."""

    folder: Path
    enrolment: Enrolment
    relay_tokens: dict[str, str]
    room_tokens: dict[str, str]


def relay_settings(folder: Path, live: dict[str, object] | None = None) -> RelaySettings:
    """Return the settings of a relay that keeps everything in ``folder``; ``live``: its sessions'."""
    return RelaySettings.model_validate(
        {
            "data_dir": folder,
            "http": {"public_url": PUBLIC_URL},
            "live": live or {},
            "push": {"vapid_subject": "mailto:staff@example.org"},
        }
    )


def memory_folder() -> Path:
    """Make a folder, in memory where the system has one: SQLite waits for a real disk at each commit."""
    memory = Path("/dev/shm")  # noqa: S108 -- a folder of our own is made in it
    return Path(tempfile.mkdtemp(prefix="laundryd-model-", dir=memory if memory.is_dir() else None))


@cache
def house() -> House:
    """Build the house, once a process; its folder stays until ``demolish``."""
    return asyncio.run(_build(memory_folder()))


def demolish() -> None:
    """Remove the folder."""
    shutil.rmtree(house().folder, ignore_errors=True)
    house.cache_clear()


async def _build(folder: Path) -> House:
    settings = relay_settings(folder)
    tokens = Tokens(SigningKey.load_or_create(settings.keys.signing))
    enrolment_key = SigningKey.load_or_create(settings.keys.enrolment)
    db = await open_database(settings.database, MIGRATIONS)
    await Rooms(db, Clock()).enroll(ROOM.key, "Basement")
    at = to_rfc3339(JOINED_AT)
    async with transaction(db):
        for resident in (*MEMBERS, STRANGER):
            await db.execute("INSERT INTO residents VALUES (?, 'en', ?)", (resident, at))
            await db.execute(
                "INSERT INTO devices VALUES (?, ?, 'Phone', ?)", (_device(resident), resident, at)
            )
        for resident in MEMBERS:
            await db.execute("INSERT INTO memberships VALUES (?, ?, ?)", (resident, ROOM.key, at))
            await db.execute(
                "INSERT INTO subscriptions (id, device, endpoint, p256dh, auth, created_at, seen_at)"
                " VALUES (?, ?, ?, '', '', ?, ?)",
                (f"push-{resident}", _device(resident), _endpoint(resident), at, at),
            )
    await db.close()
    return House(
        folder,
        Enrolment(
            site=ROOM.site,
            room=ROOM.room,
            relay_url=PUBLIC_URL,
            broker=BrokerSettings(),
            enrolment_key=enrolment_key.verify_key,
        ),
        {one: tokens.issue(one, _device(one), JOINED_AT) for one in (*MEMBERS, STRANGER)},
        {one: tokens.voucher(one, _device(one), ROOM.key, JOINED_AT)[0] for one in MEMBERS},
    )


def _device(resident: str) -> str:
    return f"device-{resident}"


def _endpoint(resident: str) -> str:
    return f"https://fcm.googleapis.com/send/{resident}"
