"""The relay is killed between every two steps of sending, as a process of its own, with SIGKILL."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from cloud_relay.push.vapid import Vapid
from laundryd.demo.fcm_service import FcmService
from laundryd.demo.push_client import Phone
from laundryd.demo.push_service import PushService
from tests.cloud_relay.push.killed_relay import FCM_POINTS, POINTS
from tests.cloud_relay.world import START, notice

PHONES = 3
IN_FLIGHT = {"answered", "writing", "written", "noted", "settled"}
"""Steps between the service's answer and our commit: a push may go out twice, under one Topic."""


async def live(
    folder: Path, service: PushService, phones: list[Phone], life: int, point: str | None
) -> int:
    subscriptions = [
        {"id": f"s{n}", "endpoint": one.endpoint, "p256dh": one.p256dh, "auth": one.auth}
        for n, one in enumerate(phones)
    ]
    return await run(
        {
            "database": str(folder / "relay.db"),
            "vapid": str(folder / "vapid.pem"),
            "origin": service.origin,
            "life": life,
            "point": point,
            "subscriptions": subscriptions,
        }
    )


async def run(plan: dict[str, object]) -> int:
    command = (sys.executable, "-m", "tests.cloud_relay.push.killed_relay", json.dumps(plan))
    process = await asyncio.create_subprocess_exec(*command)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize("point", sorted(POINTS))
async def test_a_kill_at_any_step_loses_nothing_and_repeats_only_what_was_in_flight(
    tmp_path: Path, point: str
) -> None:
    vapid = Vapid.load_or_create(tmp_path / "vapid.pem", "mailto:staff@example.org")
    async with PushService(now_s=lambda: START.timestamp() + 120) as service:
        phones = [service.new_phone(vapid.public_key) for _ in range(PHONES)]
        assert await live(tmp_path, service, phones, 1, point) == -signal.SIGKILL
        before = Counter(post.endpoint for post in service.posts)
        assert await live(tmp_path, service, phones, 2, None) == 0
        pushes = [await phone.next(timeout_s=5) for phone in phones]
    assert {push.topic for push in pushes} == {notice(1).id}
    assert {post.headers["Topic"] for post in service.posts} == {notice(1).id}, "one Topic always"
    after = Counter(post.endpoint for post in service.posts)
    for phone in phones:
        twice_at_most = 2 if point in IN_FLIGHT and before[phone.endpoint] else 1
        assert 1 <= after[phone.endpoint] <= twice_at_most, point
    if point in IN_FLIGHT:
        assert sum(before.values()) > 0, "it was sent when the kill came"
    elif point != "committed":
        assert sum(before.values()) == 0, "nothing was sent yet"


@pytest.mark.parametrize("point", sorted(FCM_POINTS))
async def test_a_kill_while_fcm_is_asked_loses_nothing_and_repeats_only_what_was_in_flight(
    tmp_path: Path, point: str
) -> None:
    async with FcmService() as fcm:
        tokens = [fcm.new_token() for _ in range(PHONES)]
        plan = {
            "database": str(tmp_path / "relay.db"),
            "account": str(fcm.key_file(tmp_path)),
            "origin": fcm.origin,
            "subscriptions": [
                {"id": f"s{n}", "endpoint": token, "p256dh": "", "auth": "", "way": "fcm"}
                for n, token in enumerate(tokens)
            ],
        }
        assert await run({**plan, "life": 1, "point": point}) == -signal.SIGKILL
        before = Counter(one.token for one in fcm.messages)
        assert await run({**plan, "life": 2, "point": None}) == 0
        after = Counter(one.token for one in fcm.messages)
    assert {one.topic for one in fcm.messages} == {notice(1).id}, "one Topic always"
    assert {one.android["collapse_key"] for one in fcm.messages} == {notice(1).id}
    for token in tokens:
        twice_at_most = 2 if point in IN_FLIGHT and before[token] else 1
        assert 1 <= after[token] <= twice_at_most, point
    if point in IN_FLIGHT:
        assert sum(before.values()) > 0, "it was sent when the kill came"
    elif point != "committed":
        assert sum(before.values()) == 0, "nothing was sent yet"
