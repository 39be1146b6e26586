"""What the sender needs to know of a push subscription, and who keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import aiosqlite

from cloud_relay.push.outcomes import Outcome
from laundryd.wire.ids import ResidentId
from laundryd.wire.notices import Lang


@dataclass(frozen=True, slots=True)
class Subscription:
    """One browser that may be pushed to.

    ``endpoint`` and the keys are secrets of that browser: they are not even in this object's repr.
    ``p256dh`` and ``auth`` are base64url (RFC 8291). ``vapid_key``: the public key it was made with.
    """

    id: str
    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)
    lang: Lang
    vapid_key: str = ""


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of one attempt at a subscription: ``detail`` the kind of error, ``at`` real time."""

    subscription: str
    outcome: Outcome
    detail: str
    at: datetime


class Subscriptions(Protocol):
    """The keeper of subscriptions. What only reads opens no transaction."""

    async def for_resident(self, resident: ResidentId) -> Sequence[Subscription]:
        """Return every subscription of the resident's devices."""
        ...

    async def by_id(self, ids: Sequence[str]) -> Mapping[str, Subscription]:
        """Return those of ``ids`` that are still there."""
        ...

    async def attempted(self, db: aiosqlite.Connection, attempts: Sequence[Attempted]) -> None:
        """Keep what attempts say of their subscriptions, inside the caller's transaction.

        When one was sent to, or the last error and its time; one that its push service does not know any
        more (``Outcome.GONE``) is deleted, and a note of that stays for its owner.
        """
        ...

    async def note(self, attempts: Sequence[Attempted]) -> None:
        """Keep the same, in a transaction of its own."""
        ...
