"""A test push: sent past the queue, once, to each device of a resident, who waits for what comes of it."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from typing import Final

from cloud_relay.push.outcomes import Outcome, Result, answer_of
from cloud_relay.push.subscriptions import Attempted, Subscription, Subscriptions
from cloud_relay.push.webpush import Sender, attempt
from laundryd.daemon.clock import Clock
from laundryd.wire.ids import ResidentId, RoomKey
from laundryd.wire.notices import NOTICES, NoticeCard, NoticeKind
from laundryd.wire.subscriptions import PushTry

log = logging.getLogger(__name__)

AT_ONCE_MAX: Final = 10
"""Parallel test pushes of one resident: a household's devices, and no flood."""

_CAME_OF_IT: Final[Mapping[Outcome, PushTry]] = {
    Outcome.SENT: PushTry.ACCEPTED,
    Outcome.GONE: PushTry.DEAD,
    Outcome.REFUSED: PushTry.REFUSED,
    Outcome.LATER: PushTry.UNANSWERED,
    Outcome.EXPIRED: PushTry.UNANSWERED,
    Outcome.CANCELLED: PushTry.UNANSWERED,
}


class Trial:
    """Sends tests. A service that cannot just now is not tried again: the resident presses once more."""

    def __init__(self, sender: Sender, subscriptions: Subscriptions, clock: Clock) -> None:
        self._sender = sender
        self._subscriptions = subscriptions
        self._clock = clock

    async def send(
        self, resident: ResidentId, room: RoomKey, names: Mapping[str, str]
    ) -> dict[str, tuple[PushTry, str]]:
        """Send a test to each subscription of ``resident``; return outcome and kind by its id.

        ``room``: where a tap leads. ``names``: what each subscription's device is called, by id.
        What came of it is kept with the subscription, as after any push. One Topic for all devices.
        """
        test_id = secrets.token_hex(16)
        places = asyncio.Semaphore(AT_ONCE_MAX)

        async def one(subscription: Subscription) -> tuple[str, Result]:
            async with places:
                card = self._card(test_id, room, names.get(subscription.id, ""))
                return subscription.id, await self._try(card, subscription)

        found = await self._subscriptions.for_resident(resident)
        results = dict(await asyncio.gather(*(one(subscription) for subscription in found)))
        at = self._clock.real_now()
        await self._subscriptions.note(
            [Attempted(key, one.outcome, one.detail, at) for key, one in results.items()]
        )
        return {key: (_CAME_OF_IT[one.outcome], one.detail) for key, one in results.items()}

    def _card(self, test_id: str, room: RoomKey, name: str) -> NoticeCard:
        now = self._clock.now()
        return NoticeCard(
            id=test_id,
            kind=NoticeKind.TEST,
            room=room,
            params={"name": name},
            caused_at=now,
            useful_until=now + NOTICES[NoticeKind.TEST].useful_for * self._clock.speed,
        )

    async def _try(self, card: NoticeCard, subscription: Subscription) -> Result:
        result = await attempt(self._sender, card, subscription)
        if result.outcome is Outcome.REFUSED:
            log.warning(
                "test push to subscription %s was refused (%s), it is kept: %s",
                subscription.id, result.detail, answer_of(result.detail).about,
            )  # fmt: skip
        return result
