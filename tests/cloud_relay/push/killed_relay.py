"""One life of the relay's planning and sending, killed at a named step: a program for ``test_kill.py``.

Its one argument is JSON: ``database``, ``life`` (1 brings the notice), ``subscriptions``, ``origin`` (of
the push service, or of FCM), ``vapid`` or ``account`` (a file), and ``point``, null to live on. It ends
when nothing is left to do.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import cloud_relay.push.store
from cloud_relay.notify import store as notices
from cloud_relay.notify.planner import Planner
from cloud_relay.push import webpush
from cloud_relay.push.endpoints import PushHosts
from cloud_relay.push.fcm import FcmSender
from cloud_relay.push.queue import PushQueue
from cloud_relay.push.sealing import Sealer
from cloud_relay.push.service_account import load_service_account
from cloud_relay.push.subscriptions import Subscription
from cloud_relay.push.vapid import Vapid
from laundryd.wire.notices import Lang
from tests.cloud_relay.world import ME, HandClock, Subscribers, entry, notice, relay

Step = Callable[..., Awaitable[Any]]  # whatever the step takes and gives: it is called as it was

POINTS: Final[dict[str, tuple[object, str, str]]] = {
    "planned": (PushQueue, "enqueue", "before"),
    "queued": (cloud_relay.push.store, "insert", "after"),
    "finished_planning": (notices, "replan", "after"),
    "taken": (cloud_relay.push.store, "take", "after"),
    "encrypting": (Sealer, "seal", "before"),
    "encrypted": (Sealer, "seal", "after"),
    "answered": (webpush.WebPushSender, "_post", "after"),
    "writing": (cloud_relay.push.store, "keep", "before"),
    "written": (cloud_relay.push.store, "keep", "after"),
    "noted": (Subscribers, "attempted", "after"),
    "finished_queueing": (notices, "finish", "after"),
    "settled": (Planner, "settled", "after"),
    "committed": (PushQueue, "_exchange", "after"),
}
FCM_POINTS: Final[dict[str, tuple[object, str, str]]] = {
    "signing_in": (FcmSender, "_sign_in", "before"),
    "signed_in": (FcmSender, "_sign_in", "after"),
    "answered": (FcmSender, "send", "after"),
    **{name: POINTS[name] for name in ("taken", "writing", "written", "committed")},
}
"""Those of an FCM sender, and what is next to them."""
"""Every step between two others: where it stands, its name, and on which side of it the kill falls."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def lay_mine(point: str, points: dict[str, tuple[object, str, str]]) -> None:
    """Have this process killed at ``point``."""
    owner, name, side = points[point]
    step: Step = getattr(owner, name)

    async def mined(*args: Any, **more: Any) -> Any:
        if side == "before":
            die()
        result = await step(*args, **more)
        # The first exchange only takes; nothing was sent before it.
        if point != "committed" or not more.get("takes", True):
            die()
        return result

    setattr(owner, name, mined)


@asynccontextmanager
async def sending(plan: dict[str, Any], clock: HandClock) -> AsyncGenerator[webpush.Sender]:
    url, origin = "https://laundry.example.org", plan["origin"]
    if "account" in plan:
        account = load_service_account(Path(plan["account"]))
        async with FcmSender(account, clock, public_url=url, origin=origin) as fcm:
            yield fcm
        return
    vapid = Vapid.load_or_create(Path(plan["vapid"]), "mailto:staff@example.org")
    hosts = PushHosts(testing_origins=frozenset({origin}))
    async with webpush.WebPushSender(vapid, clock, public_url=url, hosts=hosts) as sender:
        yield sender


async def live(plan: dict[str, Any]) -> None:
    clock, subscribers = HandClock(), Subscribers()
    clock.forward(60 * plan["life"])
    subscribers.of[ME] = [Subscription(lang=Lang.EN, **one) for one in plan["subscriptions"]]
    async with (
        sending(plan, clock) as sender,
        relay(Path(plan["database"]), clock=clock, sender=sender, subscribers=subscribers) as world,
    ):
        if plan["life"] == 1:
            await world.begin()
            await world.events(entry(1, notices=[notice(1)]))
        if plan["point"] is not None:
            lay_mine(plan["point"], POINTS if "vapid" in plan else FCM_POINTS)
        clock.forward(60)
        await world.push_due()


if __name__ == "__main__":
    asyncio.run(live(json.loads(sys.argv[1])))
