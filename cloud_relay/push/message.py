"""What is pushed: a notice as Declarative Web Push, in the resident's language.

Safari 18.4 and newer show it even when the service worker does not run; to every other browser it is
plain JSON that our service worker reads. https://www.w3.org/TR/push-api/#declarative-push-messages
"""

from __future__ import annotations

import json
from datetime import datetime
from math import ceil
from typing import Final, TypedDict
from urllib.parse import quote

from laundryd.wire.notices import ACTIONS, NOTICES, Lang, NoticeCard, render

DECLARATIVE: Final = 8030
"""The mark of a declarative push message."""
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
    leads_to = f"{public_url.rstrip('/')}/#room={quote(card.room)}"
    return {
        "title": text.title,
        "body": text.body,
        "navigate": leads_to,
        "lang": lang.value,
        "silent": card.silent,
        "tag": card.id,
        "actions": [
            {"action": action.value, "title": ACTIONS[action].label[lang], "navigate": leads_to}
            for action in card.offered
        ],
        "data": {
            "notice_id": card.id,
            "room": card.room,
            "machine": card.machine,
            "kind": card.kind.value,
        },
    }


def payload(card: NoticeCard, lang: Lang, *, public_url: str) -> bytes:
    """Write the message; ``public_url`` is the relay's own address, where a tap leads.

    Raises:
        ValueError: the message would be larger than ``PAYLOAD_MAX_BYTES``.

    """
    shown = notification(card, lang, public_url=public_url)
    message = {"web_push": DECLARATIVE, "notification": shown}
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > PAYLOAD_MAX_BYTES:
        raise ValueError(f"notice {card.id}: {len(body)} bytes, {PAYLOAD_MAX_BYTES} at most")
    return body


def useful_s(card: NoticeCard, now: datetime, *, speed: float = 1.0) -> int:
    """Return for how many real seconds a notice is useful, 1 at least; arguments as of ``headers``."""
    return max(1, ceil((card.useful_until - now).total_seconds() / speed))


def headers(card: NoticeCard, now: datetime, *, speed: float = 1.0) -> dict[str, str]:
    """Write the headers of RFC 8030; ``now`` is room time, ``speed`` room seconds a real second.

    The TTL ends with the notice's use, so that a phone switched on tomorrow hears nothing of today.
    The notice's id is its Topic: a repetition takes the place of what was not delivered yet.
    """
    return {
        "TTL": str(useful_s(card, now, speed=speed)),
        "Urgency": NOTICES[card.kind].urgency.value,
        "Topic": card.id,
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
    }
