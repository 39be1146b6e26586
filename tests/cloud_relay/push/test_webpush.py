from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import web

from cloud_relay.push.endpoints import PushHosts
from cloud_relay.push.outcomes import Outcome, Result
from cloud_relay.push.resolver import AddrInfo
from cloud_relay.push.sealing import BATCH
from cloud_relay.push.subscriptions import Subscription
from cloud_relay.push.vapid import Vapid
from cloud_relay.push.webpush import WebPushSender
from laundryd.daemon.clock import Clock
from laundryd.demo.certificate import LocalCertificate
from laundryd.demo.push_client import Phone
from laundryd.demo.push_http import InjectedAnswer
from laundryd.demo.push_service import PushService
from laundryd.wire.ids import Position
from laundryd.wire.notices import Lang, NoticeCard, NoticeKind, derive
from tests.cloud_relay.world import EPOCH, ME, ROOM

URL = "https://laundry.example.org"


@pytest.fixture
def vapid(tmp_path: Path) -> Vapid:
    return Vapid.load_or_create(tmp_path / "vapid.pem", "mailto:staff@example.org")


@asynccontextmanager
async def sending(
    vapid: Vapid, *origins: str, timeout_s: float = 10.0
) -> AsyncGenerator[WebPushSender]:
    hosts = PushHosts(testing_origins=frozenset(origins))
    async with WebPushSender(
        vapid, Clock(), public_url=URL, hosts=hosts, timeout_s=timeout_s
    ) as sender:
        yield sender


def fresh_card() -> NoticeCard:
    return derive(
        NoticeKind.DONE,
        room=ROOM,
        position=Position(epoch=EPOCH, offset=1),
        machine="w1",
        resident=ME,
        params={"name": "W1"},
        at=Clock().now(),
    ).card()


def subscribed(phone: Phone, lang: Lang = Lang.EN) -> Subscription:
    return Subscription("sub", phone.endpoint, phone.p256dh, phone.auth, lang)


async def test_a_phone_decrypts_what_was_sent_and_the_service_finds_no_fault(vapid: Vapid) -> None:
    card = fresh_card()
    async with PushService() as service, sending(vapid, service.origin) as sender:
        phone = service.new_phone(vapid.public_key)
        assert await sender.send(card, subscribed(phone, Lang.KO)) == Result(Outcome.SENT)
        push = await phone.next(timeout_s=5)
    assert isinstance(push.payload, dict)
    shown = push.payload["notification"]
    assert isinstance(shown, dict)
    assert shown["body"] == "W1: 세탁물을 꺼내 주세요."
    assert (push.topic, push.urgency) == (card.id, "high")
    assert 12 * 3600 - 10 <= push.ttl_s <= 12 * 3600
    assert service.posts[0].vapid_fault is None


async def test_a_repetition_takes_the_place_of_what_was_not_delivered(vapid: Vapid) -> None:
    card = fresh_card()
    async with PushService() as service, sending(vapid, service.origin) as sender:
        phone = service.new_phone(vapid.public_key)
        phone.switch_off()
        for _ in range(2):
            await sender.send(card, subscribed(phone))
        phone.switch_on()
        await phone.next(timeout_s=5)
        assert len(phone.received) == 1


async def test_an_expired_endpoint_is_gone(vapid: Vapid) -> None:
    async with PushService() as service, sending(vapid, service.origin) as sender:
        phone = service.new_phone(vapid.public_key)
        service.expire(phone.endpoint)
        result = await sender.send(fresh_card(), subscribed(phone))
        assert result == Result(Outcome.GONE, "http_410")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            InjectedAnswer(HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "30"}),
            Result(Outcome.LATER, "http_429", 30.0),
        ),
        (InjectedAnswer(HTTPStatus.INTERNAL_SERVER_ERROR), Result(Outcome.LATER, "http_500")),
        (InjectedAnswer(HTTPStatus.FORBIDDEN), Result(Outcome.REFUSED, "http_403")),
    ],
)
async def test_answers_are_judged_by_the_table(
    vapid: Vapid, answer: InjectedAnswer, expected: Result
) -> None:
    async with PushService() as service, sending(vapid, service.origin) as sender:
        service.answer_next(answer)
        result = await sender.send(fresh_card(), subscribed(service.new_phone(vapid.public_key)))
        assert result == expected


async def test_a_redirect_is_not_followed(vapid: Vapid) -> None:
    visited: list[str] = []

    async def inner(request: web.Request) -> web.Response:
        visited.append(request.path)
        return web.Response(status=201)

    app = web.Application()
    app.router.add_post("/secret", inner)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        async with PushService() as service, sending(vapid, service.origin) as sender:
            phone = service.new_phone(vapid.public_key)
            service.answer_next(
                InjectedAnswer(307, {"Location": f"http://127.0.0.1:{port}/secret"})
            )
            result = await sender.send(fresh_card(), subscribed(phone))
    finally:
        await runner.cleanup()
    assert result == Result(Outcome.REFUSED, "http_307")
    assert visited == []


async def test_a_service_that_hangs_or_is_down_is_tried_later(vapid: Vapid) -> None:
    async with PushService() as service, sending(vapid, service.origin, timeout_s=0.3) as sender:
        phone = subscribed(service.new_phone(vapid.public_key))
        service.answer_next(InjectedAnswer(hangs=True))
        assert await sender.send(fresh_card(), phone) == Result(Outcome.LATER, "timeout")
        service.release()
        await service.stop()
        assert await sender.send(fresh_card(), phone) == Result(Outcome.LATER, "connection")


async def test_a_private_name_is_refused_at_the_connect(
    vapid: Vapid, caplog: pytest.LogCaptureFixture
) -> None:
    # An allowed name that leads to this very computer, as a rebinding name server would have it.
    hosts = PushHosts(allowed=("localhost",))
    caplog.set_level(logging.DEBUG)
    async with (
        PushService() as service,
        WebPushSender(vapid, Clock(), public_url=URL, hosts=hosts) as sender,
    ):
        phone = service.new_phone(vapid.public_key)
        endpoint = "https://localhost/secret-endpoint"
        result = await sender.send(
            fresh_card(), Subscription("sub-7", endpoint, phone.p256dh, phone.auth, Lang.EN)
        )
    assert result == Result(Outcome.REFUSED, "private_address")
    assert "secret-endpoint" not in caplog.text


async def test_an_endpoint_that_is_not_allowed_any_more_is_refused_before_any_connect(
    vapid: Vapid,
) -> None:
    async with PushService() as service, sending(vapid) as sender:
        phone = service.new_phone(vapid.public_key)
        result = await sender.send(fresh_card(), subscribed(phone))
        assert result == Result(Outcome.REFUSED, "endpoint_refused")
        assert service.posts == []


async def test_over_tls_the_certificate_is_checked(vapid: Vapid, tmp_path: Path) -> None:
    ours = LocalCertificate.make(tmp_path / "ours")
    foreign = LocalCertificate.make(tmp_path / "foreign")
    async with PushService(tls=ours.for_server()) as service:
        phone = service.new_phone(vapid.public_key)
        for trusted, expected in (
            (ours, Result(Outcome.SENT)),
            (foreign, Result(Outcome.LATER, "tls")),
        ):
            async with WebPushSender(
                vapid,
                Clock(),
                public_url=URL,
                hosts=PushHosts(testing_origins=frozenset({service.origin})),
                tls=trusted.for_client(),
            ) as sender:
                assert await sender.send(fresh_card(), subscribed(phone)) == expected
        await phone.next(timeout_s=5)
        assert len(service.posts) == 1


async def test_a_lost_connection_is_tried_later(vapid: Vapid) -> None:
    async with PushService() as service, sending(vapid, service.origin) as sender:
        service.answer_next(InjectedAnswer(drops=True))
        phone = subscribed(service.new_phone(vapid.public_key))
        assert await sender.send(fresh_card(), phone) == Result(Outcome.LATER, "connection")


class Rebinding:
    """A name server that answers with another address each time it is asked."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = list(addresses)
        self.asked = 0

    async def resolve(self, host: str, port: int) -> list[AddrInfo]:
        del host
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (self._addresses.pop(0), port))]


async def test_what_was_judged_is_connected_to_whatever_the_name_says_next(
    vapid: Vapid, tmp_path: Path
) -> None:
    local = LocalCertificate.make(tmp_path)
    async with PushService(tls=local.for_server()) as service:
        origin = service.origin.replace("127.0.0.1", "localhost")
        names = Rebinding("127.0.0.1", "10.0.0.1")
        phone = service.new_phone(vapid.public_key)
        endpoint = phone.endpoint.replace("127.0.0.1", "localhost")
        async with WebPushSender(
            vapid,
            Clock(),
            public_url=URL,
            hosts=PushHosts(testing_origins=frozenset({origin})),
            tls=local.for_client(),
            resolver=names,
        ) as sender:
            one = Subscription("sub", endpoint, phone.p256dh, phone.auth, Lang.EN)
            await sender.send(fresh_card(), one)
        assert len(service.posts) == 1
        assert names.asked == 1


async def test_a_name_that_moved_into_our_network_is_refused_at_the_next_connect(
    vapid: Vapid,
) -> None:
    names = Rebinding("192.168.1.1")
    hosts = PushHosts(allowed=("*.push.example.org",))
    async with (
        PushService() as service,
        WebPushSender(vapid, Clock(), public_url=URL, hosts=hosts, resolver=names) as sender,
    ):
        phone = service.new_phone(vapid.public_key)
        endpoint = "https://eu.push.example.org/x"
        one = Subscription("sub", endpoint, phone.p256dh, phone.auth, Lang.EN)
        assert await sender.send(fresh_card(), one) == Result(Outcome.REFUSED, "private_address")
        assert service.posts == []


async def test_a_name_that_can_be_none_is_refused_and_nothing_is_raised(vapid: Vapid) -> None:
    hosts = PushHosts(allowed=("*.push.example.org",))
    async with (
        PushService() as service,
        WebPushSender(vapid, Clock(), public_url=URL, hosts=hosts) as sender,
    ):
        phone = service.new_phone(vapid.public_key)
        endpoint = f"https://{'x' * 70}.push.example.org/x"
        one = Subscription("sub", endpoint, phone.p256dh, phone.auth, Lang.EN)
        assert await sender.send(fresh_card(), one) == Result(Outcome.REFUSED, "endpoint_refused")


async def test_many_messages_at_once_each_reach_their_phone(vapid: Vapid) -> None:
    async with PushService() as service, sending(vapid, service.origin) as sender:
        phones = [service.new_phone(vapid.public_key) for _ in range(2 * BATCH + 1)]
        results = await asyncio.gather(
            *(sender.send(fresh_card(), subscribed(phone)) for phone in phones)
        )
        assert set(results) == {Result(Outcome.SENT)}
        for phone in phones:
            await phone.next(timeout_s=5)
        keys = {post.body[21:86] for post in service.posts}
        salts = {post.body[:16] for post in service.posts}
        assert len(keys) == len(salts) == len(phones), "a key pair and a salt each (RFC 8291)"


@pytest.mark.parametrize(("p256dh", "auth"), [("", ""), ("AAAA", "AAAA"), ("B" * 87, "A" * 22)])
async def test_unusable_keys_are_refused_and_nothing_is_raised(
    vapid: Vapid, p256dh: str, auth: str
) -> None:
    async with PushService() as service, sending(vapid, service.origin) as sender:
        endpoint = service.new_phone(vapid.public_key).endpoint
        result = await sender.send(
            fresh_card(), Subscription("sub", endpoint, p256dh, auth, Lang.EN)
        )
    assert result == Result(Outcome.REFUSED, "unusable_keys")


async def test_a_notice_past_its_use_is_not_sent(vapid: Vapid) -> None:
    card = fresh_card()
    late = card.model_copy(update={"useful_until": Clock().now()})
    async with PushService() as service, sending(vapid, service.origin) as sender:
        phone = service.new_phone(vapid.public_key)
        assert await sender.send(late, subscribed(phone)) == Result(Outcome.EXPIRED, "not_useful")
        assert service.posts == []
