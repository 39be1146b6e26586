"""Whatever push services answer, no endpoint, token, key or signature stands in a log line."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from cloud_relay.push.endpoints import PushHosts
from cloud_relay.push.fcm import FcmSender
from cloud_relay.push.senders import Senders
from cloud_relay.push.service_account import load_service_account
from cloud_relay.push.subscriptions import Subscription, Way
from cloud_relay.push.vapid import Vapid
from cloud_relay.push.webpush import WebPushSender
from laundryd.demo.fcm_service import ERRORS, FcmAnswer, FcmService
from laundryd.demo.push_http import InjectedAnswer
from laundryd.demo.push_service import PushService
from laundryd.wire.notices import Lang
from tests.cloud_relay.world import ME, START, HandClock, Postman, entry, notice, relay

ANSWERS = (
    *(InjectedAnswer(status) for status in (201, 400, 401, 403, 404, 410, 413, 418, 500, 503)),
    InjectedAnswer(429, {"Retry-After": "5"}),
    InjectedAnswer(307, {"Location": "http://127.0.0.1:1/inner"}),
    InjectedAnswer(hangs=True),
    InjectedAnswer(drops=True),
)


async def test_no_answer_of_a_push_service_brings_a_secret_into_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vapid = Vapid.load_or_create(tmp_path / "vapid.pem", "mailto:staff@example.org")
    clock = HandClock()
    async with PushService(now_s=lambda: START.timestamp() + 60) as service:
        hosts = PushHosts(testing_origins=frozenset({service.origin}))
        async with (
            WebPushSender(
                vapid, clock, public_url="https://laundry.example.org", hosts=hosts, timeout_s=1.0
            ) as sender,
            relay(None, clock=clock, sender=sender) as world,
        ):
            phones = [service.new_phone(vapid.public_key) for _ in range(len(ANSWERS) + 2)]
            world.subscribers.of[ME] = [
                Subscription(f"s{n}", one.endpoint, one.p256dh, one.auth, Lang.EN)
                for n, one in enumerate(phones)
            ]
            # One whose keys are broken, and one whose service is not known any more.
            broken, foreign = world.subscribers.of[ME][-2:]
            world.subscribers.of[ME][-2:] = [
                Subscription(broken.id, broken.endpoint, "secret-key", broken.auth, Lang.EN),
                Subscription(
                    foreign.id, "https://evil.example/secret-path", foreign.p256dh, foreign.auth, Lang.EN
                ),
            ]  # fmt: skip
            await world.begin()
            service.answer_next(*ANSWERS)
            await world.events(entry(1, notices=[notice(1)]))
            await world.push_due()
            service.release()
        signatures = {
            post.headers["Authorization"].split("t=")[1].split(",")[0] for post in service.posts
        }
        assert len(service.posts) == len(ANSWERS)
    assert "refuses our pushes" in caplog.text, "the log is there, and talks of pushes"
    secrets = {
        *signatures,
        *(one.endpoint.rpartition("/")[2] for one in phones),
        *(one.auth for one in phones),
        *(one.p256dh for one in phones),
        "secret-key",
        "secret-path",
        (tmp_path / "vapid.pem").read_text().splitlines()[1],
    }
    assert [secret for secret in secrets if secret in caplog.text] == []


async def test_no_answer_of_fcms_brings_a_secret_into_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [
        *(FcmAnswer(error, bare=bare) for error in ERRORS for bare in (False, True)),
        FcmAnswer(hangs=True),
        FcmAnswer(drops=True),
    ]
    clock = HandClock()
    async with FcmService() as service:
        key_file = service.key_file(tmp_path)
        url = "https://laundry.example.org"
        async with (
            FcmSender(
                load_service_account(key_file),
                clock,
                public_url=url,
                timeout_s=1.0,
                origin=service.origin,
            ) as sender,
            relay(None, clock=clock, sender=Senders(Postman(), sender)) as world,
        ):
            tokens = [service.new_token() for _ in answers]
            world.subscribers.of[ME] = [
                Subscription(f"s{n}", token, "", "", Lang.EN, way=Way.FCM)
                for n, token in enumerate(tokens)
            ]
            await world.begin()
            service.answer_next(*answers)
            await world.events(entry(1, notices=[notice(1)]))
            await world.push_due()
            service.release()
            # Google's own front door, too: the service account is refused, then away.
            service.account.access.clear()
            service.refuses_account = True
            await world.events(entry(2, notices=[notice(2)]))
            await world.push_due()
    assert "refuses our pushes" in caplog.text, "the log is there, and talks of pushes"
    assert "fcm_credentials" in caplog.text or "fcm_unauthenticated" in caplog.text
    account = json.loads(key_file.read_text())
    secrets = {
        *tokens,
        *(token.partition(":")[0] for token in tokens),
        *(post.authorization.removeprefix("Bearer ") for post in service.posts),
        account["private_key"].splitlines()[1],
    }
    assert [secret for secret in secrets if secret in caplog.text] == []
