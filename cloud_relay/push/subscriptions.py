"""What the sender needs to know of a push subscription, and who keeps them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cloud_relay.push.outcomes import Outcome, Result
from laundryd.wire.ids import ResidentId
from laundryd.wire.notices import Lang

log = logging.getLogger(__name__)


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

    async def lost(self, subscription_id: str, kind: str, at: datetime) -> None:
        """Delete one that its push service does not know any more; ``kind`` is its answer's, ``at`` real."""
        ...

    async def note_error(self, subscription_id: str, kind: str, at: datetime) -> None:
        """Keep the last error and when it was, real time."""
        ...

    async def note_sent(self, subscription_id: str, at: datetime) -> None:
        """Keep when its push service last took a message, real time."""
        ...


async def note(kept: Subscriptions, subscription_id: str, result: Result, at: datetime) -> None:
    """Keep what an attempt says of a subscription, at real time ``at``."""
    if result.outcome is Outcome.SENT:
        await kept.note_sent(subscription_id, at)
    elif result.outcome is Outcome.GONE:
        log.info("push subscription %s is gone and was deleted", subscription_id)
        await kept.lost(subscription_id, result.detail, at)
    elif result.outcome in {Outcome.REFUSED, Outcome.LATER}:
        await kept.note_error(subscription_id, result.detail, at)
