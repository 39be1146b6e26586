"""The relay's push queue and sender, with its database: 5,000 notices to 5,000 residents' browsers.

``python -m tests.bench.push.ours FOLDER WARM`` sends to every subscription of the push service in
``FOLDER`` once, after ``WARM`` that do not count, and prints what it cost as JSON. What is measured is
from the queued rows to the last committed outcome.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiosqlite
import uvloop

from cloud_relay.migrations import MIGRATIONS
from cloud_relay.notify import store as notices
from cloud_relay.notify.plan import Plan
from cloud_relay.push import store
from cloud_relay.push.endpoints import PushHosts
from cloud_relay.push.message import payload
from cloud_relay.push.queue import PushQueue
from cloud_relay.push.vapid import Vapid
from cloud_relay.push.webpush import WebPushSender
from cloud_relay.residents.preferences import PreferenceStore
from cloud_relay.residents.subscriptions import SubscriptionStore
from laundryd.daemon.clock import Clock
from laundryd.daemon.settling import settle_with_many_connections
from laundryd.daemon.sqlite import open_database, transaction
from laundryd.demo.certificate import LocalCertificate
from laundryd.wire.delivery import DeliveryState
from laundryd.wire.ids import Position
from laundryd.wire.notices import Lang, Notice, NoticeCard, NoticeKind, derive
from tests.bench.push.service import SUBSCRIPTIONS

PUBLIC_URL: Final = "https://laundry.example.org"
TICK_S: Final = 0.005
LOOK_S: Final = 0.02
"""How often it is looked whether all is sent: the other side knows without looking."""


def card_of(number: int) -> Notice:
    """Return what resident ``number`` is told."""
    return derive(
        NoticeKind.DONE,
        room="maple-hall.basement",
        position=Position(epoch="e1", offset=number),
        machine="washer-1",
        resident=f"resident-{number}",
        params={"name": "Washer 1"},
        at=datetime.now(UTC),
    )


def example() -> str:
    """Return a message as it is encrypted: the other side sends the same."""
    return payload(card_of(0).card(), Lang.EN, public_url=PUBLIC_URL).decode()


async def settle(db: aiosqlite.Connection, subscriptions: Sequence[dict[str, object]]) -> None:
    """Give each subscription a resident of its own."""
    rows = list(enumerate(subscriptions))
    now = "2026-11-26T00:00:00Z"
    async with transaction(db):
        await db.executemany(
            "INSERT INTO residents (resident, lang, created_at) VALUES (?, 'en', ?)",
            [(f"resident-{n}", now) for n, _ in rows],
        )
        await db.executemany(
            "INSERT INTO devices (device, resident, name, created_at) VALUES (?, ?, 'phone', ?)",
            [(f"device-{n}", f"resident-{n}", now) for n, _ in rows],
        )
        await db.executemany(
            "INSERT INTO subscriptions (id, device, endpoint, p256dh, auth, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(f"sub-{n}", f"device-{n}", one["endpoint"], *_keys(one), now) for n, one in rows],
        )


def _keys(subscription: dict[str, object]) -> tuple[str, str]:
    keys = subscription["keys"]
    assert isinstance(keys, dict)
    return keys["p256dh"], keys["auth"]


class Planner:
    """Notes what became of each notice as the relay's planner does."""

    async def settled(
        self, db: aiosqlite.Connection, ended: Sequence[tuple[NoticeCard, DeliveryState, str]]
    ) -> None:
        await notices.finish_all(
            db, [(card.id, state, why) for card, state, why in ended], datetime.now(UTC)
        )


async def enqueue(db: aiosqlite.Connection, count: int, offset: int, host: str) -> None:
    now = datetime.now(UTC)
    plan = Plan(DeliveryState.SENDING, socket=False, due_at=None)
    async with transaction(db):
        for number in range(count):
            # One resident each, and a position of its own, so that each has an id of its own.
            notice = card_of(number)
            notice = notice.model_copy(update={"id": f"{offset + number:032x}"})
            await notices.insert(db, notice, plan, kept_at=now)
            await store.insert(db, notice.card(), notice.resident, [(f"sub-{number}", host)], now)


async def stalls(found_s: list[float]) -> None:
    """Measure for ever by how much the loop is late."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + TICK_S
        await asyncio.sleep(TICK_S)
        found_s.append(loop.time() - due_s)


async def until_sent(db: aiosqlite.Connection, queue: PushQueue, count: int) -> None:
    while queue.counts["sent"] < count or queue.is_busy:  # noqa: ASYNC110 -- costs nothing that counts
        await asyncio.sleep(LOOK_S)
    ((left,),) = await db.execute_fetchall("SELECT count(*) FROM notices WHERE state != 'pushed'")
    assert left == 0, f"{left} notices were not pushed"


async def measure(folder: Path, warm: int) -> dict[str, float]:
    subscriptions = json.loads((folder / SUBSCRIPTIONS).read_text())
    parts = urlsplit(subscriptions[0]["endpoint"])
    db = await open_database(folder / f"relay-{time.monotonic_ns()}.db", MIGRATIONS)
    await settle(db, subscriptions)
    hosts = PushHosts(testing_origins=frozenset({f"https://{parts.netloc}"}))
    vapid = Vapid.load_or_create(folder / "vapid.pem", "mailto:staff@example.org")
    clock, late_s = Clock(), list[float]()
    async with WebPushSender(
        vapid, clock, public_url=PUBLIC_URL, hosts=hosts,
        tls=LocalCertificate.make(folder).for_client(),
    ) as sender:  # fmt: skip
        queue = PushQueue(
            db, clock, sender=sender, subscriptions=SubscriptionStore(db, hosts),
            wishes=PreferenceStore(db),
        )  # fmt: skip
        settle_with_many_connections()  # as the relay does once it runs
        running = asyncio.create_task(queue.run(Planner()))
        await enqueue(db, warm, 0, parts.hostname or "")
        queue.wake()
        await until_sent(db, queue, warm)
        await enqueue(db, len(subscriptions), warm, parts.hostname or "")
        ticking = asyncio.create_task(stalls(late_s))
        cpu_s, began_s = time.process_time(), time.monotonic()
        queue.wake()
        await until_sent(db, queue, warm + len(subscriptions))
        cpu_s, wall_s = time.process_time() - cpu_s, time.monotonic() - began_s
        for task in (ticking, running):
            task.cancel()
        await asyncio.gather(ticking, running, return_exceptions=True)
    await db.close()
    late_s.sort()
    return {
        "pushes": len(subscriptions),
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "stall_p99_ms": late_s[int(len(late_s) * 0.99)] * 1_000,
        "stall_max_ms": late_s[-1] * 1_000,
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(measure(Path(sys.argv[1]), int(sys.argv[2])))))
