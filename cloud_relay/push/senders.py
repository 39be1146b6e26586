"""Sends each device its own way: by Web Push, or by FCM where the relay has a configuration of it."""

from __future__ import annotations

from cloud_relay.push.outcomes import Result, result_of
from cloud_relay.push.subscriptions import Subscription, Way
from cloud_relay.push.webpush import Sender
from laundryd.wire.notices import NoticeCard


class Senders:
    """A ``Sender`` that asks the one of the subscription's way. ``fcm`` None: there is no configuration."""

    def __init__(self, web_push: Sender, fcm: Sender | None = None) -> None:
        self._web_push = web_push
        self._fcm = fcm

    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        """Try once; the result says what came of it."""
        if subscription.way is Way.WEB_PUSH:
            return await self._web_push.send(card, subscription)
        if self._fcm is None:
            return result_of("fcm_off")
        return await self._fcm.send(card, subscription)
