from __future__ import annotations

import json
from datetime import timedelta

import pytest
from firebase_admin import messaging

from cloud_relay.push import message
from cloud_relay.push.fcm_message import fcm_message
from laundryd.demo.fcm_message_check import PAYLOAD_MAX_BYTES, FcmMessage, read_message
from laundryd.wire.notices import NOTICES, ActionId, Lang, NoticeCard, NoticeKind, Urgency
from tests.cloud_relay.world import START, notice

URL = "https://laundry.example.org/"


def sent(
    card: NoticeCard, lang: Lang = Lang.EN, *, url: str = URL, speed: float = 1.0
) -> FcmMessage:
    made = fcm_message(card, lang, "a-token", START, public_url=url, speed=speed)
    body = {"message": messaging._MessagingService.encode_message(made)}
    # Through JSON, as it goes over the line.
    return read_message(json.loads(json.dumps(body)), sender_id="1", message_id="2")


@pytest.mark.parametrize("lang", list(Lang))
def test_a_browser_is_shown_what_web_push_would_show_it(lang: Lang) -> None:
    card = notice(1).card().model_copy(update={"actions": (ActionId.COLLECT,), "silent": True})
    shown = sent(card, lang).payload["notification"]
    expected = json.loads(message.payload(card, lang, public_url=URL))["notification"]
    for action in expected["actions"]:
        del action["navigate"]  # Safari's, which FCM does not speak to for us
    assert shown == expected


def test_one_id_is_tag_topic_and_collapse_key_and_all_ends_with_its_use() -> None:
    card = notice(1).card()
    made = sent(card)
    left_s = (card.useful_until - START).total_seconds()
    assert made.topic == made.android["collapse_key"] == card.id
    assert made.ttl_s == left_s
    assert made.android["ttl"] == f"{left_s:.0f}s"
    android = made.android["notification"]
    assert isinstance(android, dict)
    assert android["tag"] == card.id
    late = card.model_copy(update={"useful_until": START - timedelta(seconds=1)})
    assert sent(late).ttl_s == 1


def test_a_rooms_time_that_runs_faster_ends_it_sooner() -> None:
    assert sent(notice(1).card(), speed=60.0).ttl_s == sent(notice(1).card()).ttl_s / 60


@pytest.mark.parametrize("kind", [NoticeKind.DONE, NoticeKind.STARTED])
def test_what_is_urgent_reaches_a_phone_that_dozes(kind: NoticeKind) -> None:
    card = notice(1).card().model_copy(update={"kind": kind})
    made = sent(card)
    urgency = NOTICES[kind].urgency
    assert made.urgency == urgency.value
    assert made.android["priority"] == ("high" if urgency is Urgency.HIGH else "normal")


def test_a_tap_leads_to_the_room_and_plain_http_is_not_said_to_fcm() -> None:
    link = "https://laundry.example.org/#room=maple-hall.basement"
    assert sent(notice(1).card()).payload["fcmOptions"] == {"link": link}
    made = sent(notice(1).card(), url="http://127.0.0.1:8080")
    assert made.payload["fcmOptions"] == {}
    shown = made.payload["notification"]
    assert isinstance(shown, dict)
    assert shown["navigate"] == "http://127.0.0.1:8080/#room=maple-hall.basement"


@pytest.mark.parametrize("lang", list(Lang))
def test_the_largest_message_fits_by_far(lang: Lang) -> None:
    params = {"name": "세" * 60, "title_ko": "가" * 80, "title_en": "w" * 80}
    card = notice(1).card().model_copy(update={"params": params})
    size = len(json.dumps(sent(card, lang).payload, ensure_ascii=False).encode())
    assert size < PAYLOAD_MAX_BYTES / 2
