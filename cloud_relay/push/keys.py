"""The relay's two VAPID keys for a time: a new one that browsers subscribe with, and the one before.

``rotate`` sets the present key aside. Each subscription remembers the key it was made with, and is pushed
to with that one; the app sees the new key at its next start and subscribes anew. The old key goes when no
subscription needs it, or when ``OLD_KEY_LIFE`` is over.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NoReturn, Protocol, TypeVar

from cloud_relay.errors import SetupError
from cloud_relay.push.vapid import Vapid
from laundryd.daemon.clock import Clock

log = logging.getLogger(__name__)

Key = TypeVar("Key")
OLD_KEY_LIFE: Final = timedelta(days=90)
"""As long as a resident stays signed in without opening the app: until then each app has seen the new key."""
LOOK_EVERY_S: Final = 3_600.0


class KeyUse(Protocol):
    """Who knows which keys subscriptions were made with; each call is a transaction of its own."""

    async def adopt(self, public_key: str) -> None:
        """Note this key for the subscriptions that name none: they are older than any rotation."""
        ...

    async def uses(self, public_key: str) -> int:
        """Count the subscriptions made with a key."""
        ...

    async def forget_key(self, public_key: str, at: datetime) -> None:
        """Delete the subscriptions made with a key, at real time ``at``: nobody can push to them any more.

        Their owners are told in the app, as of any that was lost.
        """
        ...


class VapidKeys:
    """The present key, and the one before while subscriptions need it."""

    def __init__(self, present: Vapid, old: Vapid | None = None) -> None:
        self.present = present
        self.old = old

    @classmethod
    def load_or_create(cls, path: Path, subject: str) -> VapidKeys:
        """Read the keys, or make the first one.

        Raises:
            SetupError: a file is no P-256 private key, or others may read it.

        """
        before = old_path(path)
        if before.exists() and path.exists() and before.samefile(path):
            before.unlink()  # a rotation was killed half way: the key is still the present one
        old = Vapid.load_or_create(before, subject) if before.exists() else None
        return cls(Vapid.load_or_create(path, subject), old)

    def of(self, public_key: str) -> Vapid:
        """Return the key to push with to a subscription made with ``public_key``, empty: it names none."""
        if self.old is not None and public_key == self.old.public_key:
            return self.old
        return self.present

    def knows(self, public_key: str) -> bool:
        """Say whether pushes to a subscription made with this key can be signed."""
        return public_key in {one.public_key for one in (self.present, self.old) if one}


class KeyKeeper:
    """Lets the old key go when it is not needed any more; ``run`` it as a task."""

    def __init__(self, keys: VapidKeys, path: Path, use: KeyUse, clock: Clock) -> None:
        self._keys, self._path, self._use, self._clock = keys, path, use, clock

    async def start(self) -> None:
        """Note the key of subscriptions that name none, before anything is sent."""
        await self._use.adopt((self._keys.old or self._keys.present).public_key)

    async def run(self) -> NoReturn:
        """Look now and then, for ever. Safe to cancel."""
        while True:
            try:
                await self.look()
            except (sqlite3.Error, OSError) as error:
                log.error("the old push key cannot be looked after yet: %s", error)  # noqa: TRY400 -- no traceback for a full disk
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Drop the old key if no subscription was made with it, or its time is over."""
        old = self._keys.old
        if old is None:
            return
        path = old_path(self._path)
        left = await self._use.uses(old.public_key)
        set_aside_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if left and self._clock.real_now() - set_aside_at < OLD_KEY_LIFE:
            return
        await self._use.forget_key(old.public_key, self._clock.real_now())
        path.unlink(missing_ok=True)
        self._keys.old = None
        log.info("the old push key was dropped; %d subscriptions still had it", left)


def old_path(path: Path) -> Path:
    """Return where the key before is kept."""
    return path.with_stem(f"{path.stem}-old")


def rotate(path: Path, subject: str) -> Vapid:
    """Set the present key aside and make a new one; the relay takes both at its next start.

    Raises:
        SetupError: there is no key yet, or one is set aside already and still needed.
        OSError: a file cannot be written.

    """
    if not path.exists():
        raise SetupError(f"{path}: is missing; run `laundryd relay init` with the same --config")
    return set_aside(path, lambda new: Vapid.load_or_create(new, subject))


def set_aside(path: Path, make: Callable[[Path], Key]) -> Key:
    """Set the key at ``path`` aside and put the one that ``make`` writes in its place; return that one.

    Raises:
        SetupError: one is set aside already and still needed.
        OSError: a file cannot be written.

    """
    before = old_path(path)
    if before.exists() and not before.samefile(path):
        raise SetupError(
            f"{before}: the rotation before is not over, that key is still needed. The relay drops it "
            f"when it is not, after {OLD_KEY_LIFE.days} days at most"
        )
    # The new one first: a kill in between leaves the present key where it is.
    new = path.with_stem(f"{path.stem}-new")
    new.unlink(missing_ok=True)
    made = make(new)
    before.unlink(missing_ok=True)  # left by a rotation that was killed half way
    before.hardlink_to(path)
    before.touch()
    new.replace(path)
    return made
