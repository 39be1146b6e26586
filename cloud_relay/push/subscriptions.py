"""What the senders need to know of a push subscription, and who keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

import aiosqlite

from cloud_relay.push.outcomes import Outcome
from laundryd.wire.ids import ResidentId
from laundryd.wire.notices import Lang


class Way(StrEnum):
    """Who carries a push to a device. A device has one way, never two: it would be told twice."""

    WEB_PUSH = "web_push"
    FCM = "fcm"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One browser that may be pushed to.

    ``endpoint`` and the keys are secrets of that browser: they are not even in this object's repr.
    ``p256dh`` and ``auth`` are base64url (RFC 8291). ``vapid_key``: the public key it was made with.
    By FCM ``endpoint`` is the app's registration token, and there are no keys.
    """

    id: str
    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)
    lang: Lang
    vapid_key: str = ""
    way: Way = Way.WEB_PUSH

    @property
    def service(self) -> str:
        """Whose trouble would hold this one up: the host of a push service, or ``fcm``.

        FCM's interface and Chrome's push service share a host, and fail apart.
        """
        return Way.FCM if self.way is Way.FCM else urlsplit(self.endpoint).hostname or ""


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
