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
    """The keeper of subscriptions. All of it is called inside the queue's transaction."""

    async def for_resident(self, resident: ResidentId) -> Sequence[Subscription]:
        """Return every subscription of the resident's devices."""
        ...

    async def by_id(self, ids: Sequence[str]) -> Mapping[str, Subscription]:
        """Return those of ``ids`` that are still there."""
        ...

    async def attempted(self, db: aiosqlite.Connection, attempts: Sequence[Attempted]) -> None:
        """Note what came of attempts: sent and when, the last error, or delete what is gone."""
        ...
