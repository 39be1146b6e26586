from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cloud_relay.push import message
from laundryd.wire.ids import Position
from laundryd.wire.notices import ACTIONS, NOTICES, ActionId, Lang, NoticeCard, NoticeKind, derive
from tests.cloud_relay.world import ME, ROOM, START, notice

URL = "https://laundry.example.org/"


def test_the_message_is_declarative_in_the_residents_language_and_leads_to_the_room() -> None:
    card = notice(1).card()
    body = json.loads(message.payload(card, Lang.KO, public_url=URL))
    assert body["web_push"] == 8030
    shown = body["notification"]
    assert shown["title"] == "다 됐어요"
    assert shown["lang"] == "ko"
    assert shown["navigate"] == f"https://laundry.example.org/#room={ROOM}"
    assert shown["tag"] == card.id
    assert shown["data"] == {
        "notice_id": card.id, "room": ROOM, "machine": "w1", "kind": "done",
    }  # fmt: skip
    assert ME not in json.dumps(body)


@pytest.mark.parametrize("lang", list(Lang))
def test_its_buttons_are_those_that_it_came_with_and_lead_to_the_room(lang: Lang) -> None:
    card = notice(1).card().model_copy(update={"actions": (ActionId.COLLECT,)})
    shown = json.loads(message.payload(card, lang, public_url=URL))["notification"]
    assert shown["actions"] == [
        {
            "action": "collect",
            "title": ACTIONS[ActionId.COLLECT].label[lang],
            "navigate": shown["navigate"],
        }
    ]


@pytest.mark.parametrize("kind", list(NoticeKind))
@pytest.mark.parametrize("lang", list(Lang))
def test_every_notice_fits_even_with_the_longest_parameters(kind: NoticeKind, lang: Lang) -> None:
    card = derive(
        kind,
        room="m" * 32 + "." + "b" * 32,
        position=Position(epoch="e1", offset=1),
        machine="w" * 32,
        resident=ME,
        params=dict.fromkeys(NOTICES[kind].params, "큰 세탁기 " * 11),
        at=START,
    ).card()
    assert len(message.payload(card, lang, public_url="https://" + "h" * 200)) < 3_000


def test_an_announcement_without_sound_is_silent() -> None:
    card = derive(
        NoticeKind.ANNOUNCEMENT,
        room=ROOM,
        position=Position(epoch="e1", offset=1),
        machine=None,
        resident=ME,
        params=dict.fromkeys(NOTICES[NoticeKind.ANNOUNCEMENT].params, "x"),
        at=START,
    ).card()
    silent = card.model_copy(update={"silent": True})
    for one in (card, silent):
        body = json.loads(message.payload(one, Lang.EN, public_url=URL))
        assert body["notification"]["silent"] is one.silent


def test_a_message_that_would_not_fit_is_refused() -> None:
    card = notice(1).card()
    with pytest.raises(ValueError, match="3000 at most"):
        message.payload(card, Lang.EN, public_url="https://" + "h" * 3_000)


def headers(head: str) -> dict[str, str]:
    *lines, end = head.split("\r\n")
    assert end == "", "each line is ended"
    return dict(line.split(": ", 1) for line in lines)


def test_headers_end_with_the_notices_use_and_name_it_as_topic() -> None:
    card = notice(1).card()
    sent = headers(message.head(card, START))
    assert sent["TTL"] == str(12 * 3600)
    assert sent["Topic"] == card.id
    assert sent["Urgency"] == "high"
    assert sent["Content-Encoding"] == "aes128gcm"
    last = headers(message.head(card, card.useful_until - timedelta(milliseconds=1)))
    assert last["TTL"] == "1", "0 would be dropped when the phone is off for a moment"


def test_the_time_to_live_is_real_time_where_room_time_runs_faster() -> None:
    assert headers(message.head(notice(1).card(), START, speed=60))["TTL"] == str(12 * 60)


def test_a_card_never_names_a_resident() -> None:
    assert "resident" not in NoticeCard.model_fields


def test_no_push_service_is_asked_to_keep_a_long_announcement_for_longer_than_it_would() -> None:
    spare_part = notice(1).model_copy(update={"useful_until": START + timedelta(days=60)})
    assert "TTL: 2419200\r\n" in message.head(spare_part.card(), START)
    week = notice(1).model_copy(update={"useful_until": START + timedelta(days=7)})
    assert "TTL: 604800\r\n" in message.head(week.card(), START)
