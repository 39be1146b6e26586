"""What is pushed: a notice as Declarative Web Push, in the resident's language.

Safari 18.4 and newer show it even when the service worker does not run; to every other browser it is
plain JSON that our service worker reads. https://www.w3.org/TR/push-api/#declarative-push-messages
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from math import ceil
from typing import Final, TypedDict
from urllib.parse import quote

from pydantic_core import to_json

from laundryd.wire.ids import RoomKey
from laundryd.wire.notices import ACTIONS, NOTICES, Lang, NoticeCard, render

DECLARATIVE: Final = 8030
"""The mark of a declarative push message."""
TTL_MAX_S: Final = 28 * 24 * 3_600
"""FCM keeps nothing for longer than four weeks; an announcement may be shown for two months.
https://firebase.google.com/docs/cloud-messaging/customize-messages/setting-message-lifespan"""
PAYLOAD_MAX_BYTES: Final = 3_000
"""RFC 8291 leaves 3,993 bytes; some services take less, and ours need a sixth of it."""


class Action(TypedDict):
    """A button. Safari follows ``navigate``; our service worker sends the command that ``action`` names."""

    action: str
    title: str
    navigate: str


class Notification(TypedDict):
    """What is shown; the names are those of the Notifications API and of declarative messages."""

    title: str
    body: str
    navigate: str
    lang: str
    silent: bool
    tag: str
    actions: list[Action]
    data: dict[str, str | None]


def notification(card: NoticeCard, lang: Lang, *, public_url: str) -> Notification:
    """Write what is shown; ``public_url`` is the relay's own address, where a tap leads."""
    text = render(card, lang)
    leads_to = _room_page(public_url, card.room)
    return {
        "title": text.title,
        "body": text.body,
        "navigate": leads_to,
        "lang": str(lang),
        "silent": card.silent,
        "tag": card.id,
        "actions": [
            {"action": str(action), "title": ACTIONS[action].label[lang], "navigate": leads_to}
            for action in card.offered
        ],
        "data": {
            "notice_id": card.id,
            "room": card.room,
            "machine": card.machine,
            "kind": str(card.kind),
        },
    }


def payload(card: NoticeCard, lang: Lang, *, public_url: str) -> bytes:
    """Write the message; ``public_url`` is the relay's own address, where a tap leads.

    Raises:
        ValueError: the message would be larger than ``PAYLOAD_MAX_BYTES``.

    """
    shown = notification(card, lang, public_url=public_url)
    body = to_json({"web_push": DECLARATIVE, "notification": shown})
    if len(body) > PAYLOAD_MAX_BYTES:
        raise ValueError(f"notice {card.id}: {len(body)} bytes, {PAYLOAD_MAX_BYTES} at most")
    return body


@lru_cache(maxsize=1_000)
def _room_page(public_url: str, room: RoomKey) -> str:
    return f"{public_url.rstrip('/')}/#room={quote(room)}"


def useful_s(card: NoticeCard, now: datetime, *, speed: float = 1.0) -> int:
    """Return for how many real seconds a push service may keep it, 1 to ``TTL_MAX_S``; as of ``head``."""
    return max(1, min(ceil((card.useful_until - now).total_seconds() / speed), TTL_MAX_S))


def head(card: NoticeCard, now: datetime, *, speed: float = 1.0) -> str:
    """Write the header lines of RFC 8030; ``now`` is room time, ``speed`` room seconds a real second.

    The TTL ends with the notice's use, so that a phone switched on tomorrow hears nothing of today.
    The notice's id is its Topic: a repetition takes the place of what was not delivered yet.
    """
    return (
        f"TTL: {useful_s(card, now, speed=speed)}\r\nUrgency: {NOTICES[card.kind].urgency}\r\n"
        f"Topic: {card.id}\r\nContent-Encoding: aes128gcm\r\n"
        "Content-Type: application/octet-stream\r\nUser-Agent: laundryd\r\n"
    )
