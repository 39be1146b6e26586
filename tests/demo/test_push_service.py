from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import aiohttp
import pytest

from laundryd.demo.push_client import Phone, UndecryptableError
from laundryd.demo.push_http import REQUEST_MAX_BYTES, InjectedAnswer
from laundryd.demo.push_mailbox import PENDING_MAX
from laundryd.demo.push_request import BODY_MAX_BYTES
from laundryd.demo.push_service import PushService
from laundryd.demo.vapid_check import VapidFault

if TYPE_CHECKING:
    from tests.demo.conftest import Now, Pusher, Sender

SOON_S = 20.0
DAY_S = 24 * 3600


async def test_a_phone_decrypts_what_was_pushed(
    pusher: Pusher, phone: Phone, push_service: PushService, now: Now
) -> None:
    answer = await pusher.tell(phone, {"kind": "done"}, topic="t1", ttl_s=300)
    assert answer.status == 201
    assert answer.headers["TTL"] == "300"
    assert answer.headers["Location"].startswith(push_service.origin)
    push = await phone.next(SOON_S)
    assert push.payload == {"kind": "done"}
    assert (push.topic, push.ttl_s, push.urgency) == ("t1", 300, "high")
    assert push.received_at.timestamp() == now.s
    assert b"done" not in push_service.posts[0].body


async def test_a_payload_that_is_no_json_object_comes_as_bytes(
    pusher: Pusher, phone: Phone
) -> None:
    await pusher.tell(phone, ["a", "list"])
    await pusher.push(phone.endpoint, b"", headers={"Content-Encoding": None})
    assert (await phone.next(SOON_S)).payload == json.dumps(["a", "list"]).encode()
    assert (await phone.next(SOON_S)).payload == b""


async def test_a_phone_says_when_a_push_was_encrypted_for_another(
    pusher: Pusher, phone: Phone, push_service: PushService, sender: Sender
) -> None:
    other = push_service.new_phone(sender.public_key)
    answer = await pusher.push(phone.endpoint, sender.encrypt(other, {"kind": "done"}))
    assert answer.status == 201
    with pytest.raises(UndecryptableError):
        await phone.next(SOON_S)
    assert phone.received == []


async def test_waiting_for_a_push_that_does_not_come_ends(phone: Phone) -> None:
    with pytest.raises(TimeoutError, match="no push reached the phone"):
        await phone.next(0.01)


async def test_a_phone_that_was_off_gets_the_newest_of_each_topic(
    pusher: Pusher, phone: Phone, now: Now
) -> None:
    phone.switch_off()
    await pusher.tell(phone, {"n": 1}, topic="same", ttl_s=600)
    await pusher.tell(phone, {"n": 2}, topic="other", ttl_s=600)
    await pusher.tell(phone, {"n": 3}, topic="same", ttl_s=600)
    await pusher.tell(phone, {"n": 4}, topic="short", ttl_s=5)
    assert phone.received == []
    now.s += 5
    phone.switch_on()
    assert [push.payload for push in phone.received] == [{"n": 2}, {"n": 3}]


@pytest.mark.parametrize(
    "headers",
    [
        {"TTL": None},
        {"TTL": "soon"},
        {"Topic": "a" * 33},
        {"Topic": "not base64url"},
        {"Content-Encoding": "aesgcm"},
        {"Urgency": "urgent"},
    ],
)
async def test_wrong_headers_are_answered_400(
    pusher: Pusher, phone: Phone, sender: Sender, headers: dict[str, str | None]
) -> None:
    answer = await pusher.push(phone.endpoint, sender.encrypt(phone, {}), headers=headers)
    assert answer.status == 400
    assert next(iter(headers)) in json.loads(answer.text)["message"]
    assert phone.received == []


async def test_clear_text_is_answered_400(pusher: Pusher, phone: Phone) -> None:
    assert (await pusher.push(phone.endpoint, b'{"kind": "done"}')).status == 400


@pytest.mark.parametrize("size", [BODY_MAX_BYTES + 1, REQUEST_MAX_BYTES + 1])
async def test_a_large_body_is_answered_413(pusher: Pusher, phone: Phone, size: int) -> None:
    assert (await pusher.push(phone.endpoint, bytes(size))).status == 413


async def test_an_unknown_endpoint_is_answered_404(
    pusher: Pusher, push_service: PushService
) -> None:
    answer = await pusher.push(f"{push_service.origin}/wpush/v2/nobody", b"")
    assert answer.status == 404


async def test_an_expired_subscription_is_answered_410(
    pusher: Pusher, phone: Phone, push_service: PushService
) -> None:
    push_service.expire(phone.endpoint)
    assert (await pusher.tell(phone, {})).status == 410


async def test_too_many_waiting_messages_are_answered_429_with_a_time_to_wait(
    pusher: Pusher, phone: Phone
) -> None:
    phone.switch_off()
    for n in range(PENDING_MAX):
        assert (await pusher.tell(phone, {"n": n})).status == 201
    answer = await pusher.tell(phone, {})
    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")


async def test_every_vapid_fault_is_answered_401_by_name(
    pusher: Pusher, phone: Phone, push_service: PushService, sender: Sender, stranger: Sender
) -> None:
    origin, now_s = push_service.origin, pusher.now.s
    wrong: dict[VapidFault, str | None] = {
        VapidFault.MISSING: None,
        VapidFault.MALFORMED: "vapid t=abc",
        VapidFault.OTHER_KEY: stranger.authorization(aud=origin, exp=now_s + 60),
        VapidFault.AUDIENCE: sender.authorization(aud="https://else.example", exp=now_s + 60),
        VapidFault.EXPIRED: sender.authorization(aud=origin, exp=now_s - 1),
        VapidFault.EXPIRES_TOO_LATE: sender.authorization(aud=origin, exp=now_s + DAY_S + 1),
        VapidFault.SUBJECT: sender.authorization(aud=origin, exp=now_s + 60, sub="ops"),
    }
    body = sender.encrypt(phone, {})
    for fault, authorization in wrong.items():
        answer = await pusher.push(phone.endpoint, body, headers={"Authorization": authorization})
        assert (answer.status, push_service.posts[-1].vapid_fault) == (401, fault)
    assert phone.received == []


async def test_ordered_answers_come_once_each_and_in_order(
    pusher: Pusher, phone: Phone, push_service: PushService
) -> None:
    push_service.answer_next(InjectedAnswer(429, headers={"Retry-After": "2"}), InjectedAnswer(500))
    limited = await pusher.tell(phone, {"n": 1})
    assert (limited.status, limited.headers["Retry-After"]) == (429, "2")
    assert (await pusher.tell(phone, {"n": 2})).status == 500
    assert (await pusher.tell(phone, {"n": 3})).status == 201
    assert [push.payload for push in phone.received] == [{"n": 3}]
    assert [post.injected for post in push_service.posts] == [True, True, False]


async def test_a_standing_answer_lasts_until_it_is_lifted(
    pusher: Pusher, phone: Phone, push_service: PushService
) -> None:
    push_service.answer_always(InjectedAnswer(503))
    assert [(await pusher.tell(phone, {})).status for _ in range(3)] == [503, 503, 503]
    push_service.answer_always(None)
    assert (await pusher.tell(phone, {})).status == 201


async def test_an_answer_can_hang_though_the_message_arrived(
    pusher: Pusher, phone: Phone, push_service: PushService
) -> None:
    push_service.answer_next(InjectedAnswer(201, delivered=True, hangs=True))
    hanging = asyncio.create_task(pusher.tell(phone, {"n": 1}))
    assert (await phone.next(SOON_S)).payload == {"n": 1}
    assert not hanging.done()
    push_service.release()
    assert (await hanging).status == 201


async def test_a_stop_does_not_wait_for_answers_that_hang(
    pusher: Pusher, phone: Phone, push_service: PushService
) -> None:
    push_service.answer_next(InjectedAnswer(503, hangs=True))
    hanging = asyncio.create_task(pusher.tell(phone, {}))
    await push_service.until(lambda: len(push_service.posts) == 1, SOON_S, "a POST")
    await push_service.stop()
    assert (await hanging).status == 503


async def test_a_start_after_a_stop_finds_the_same_endpoints(
    pusher: Pusher, phone: Phone, push_service: PushService
) -> None:
    phone.switch_off()
    await pusher.tell(phone, {"n": 1})
    await push_service.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await pusher.tell(phone, {"n": 2})
    await push_service.start()
    assert (await pusher.tell(phone, {"n": 3})).status == 201
    phone.switch_on()
    assert [push.payload for push in phone.received] == [{"n": 1}, {"n": 3}]


async def test_waiting_for_something_that_does_not_happen_says_what(
    push_service: PushService,
) -> None:
    with pytest.raises(TimeoutError, match="a browser comes: not within"):
        await push_service.until(lambda: push_service.browsers_online > 0, 0.01, "a browser comes")
