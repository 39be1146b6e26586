"""What the sender needs to know of a push subscription, and who keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from laundryd.wire.ids import ResidentId
from laundryd.wire.notices import Lang


@dataclass(frozen=True, slots=True)
class Subscription:
    """One browser that may be pushed to.

    ``endpoint`` and the keys are secrets of that browser: they are not even in this object's repr.
    ``p256dh`` and ``auth`` are base64url (RFC 8291).
    """

    id: str
    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)
    lang: Lang


class Subscriptions(Protocol):
    """The keeper of subscriptions; each call is a transaction of its own."""

    async def for_resident(self, resident: ResidentId) -> Sequence[Subscription]:
        """Return every subscription of the resident's devices; reads only, opens no transaction."""
        ...

    async def delete(self, subscription_id: str) -> None:
        """Delete one that its push service does not know any more."""
        ...

    async def note_error(self, subscription_id: str, kind: str, at: datetime) -> None:
        """Keep the last error and when it was, real time."""
        ...

    async def note_sent(self, subscription_id: str, at: datetime) -> None:
        """Keep when its push service last took a message, real time."""
        ...
