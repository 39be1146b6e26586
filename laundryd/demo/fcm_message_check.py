"""What FCM's HTTP v1 interface takes for a message, and what a browser gets of it; pure.

Stricter than Google's where we know better: what passes here passes there.
https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

PAYLOAD_MAX_BYTES = 4_096
"""What a browser is given at most, encoded."""

TTL_MAX_S = 28 * 24 * 3_600
"""Four weeks.
https://firebase.google.com/docs/cloud-messaging/customize-messages/setting-message-lifespan"""

_FIELDS = {"token", "fid", "data", "notification", "android", "webpush", "apns", "fcm_options"}
_WEBPUSH = {"headers", "data", "notification", "fcm_options"}
_ANDROID = {"collapse_key", "priority", "ttl", "data", "notification", "fcm_options"}
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_DURATION = re.compile(r"\d+(\.\d{1,9})?s")


class MalformedError(Exception):
    """The message is none; the text says which field, and never the token."""


@dataclass(frozen=True, slots=True)
class FcmMessage:
    """One message as its receivers see it.

    ``payload`` is what the push event of a browser holds. ``topic`` None: nothing is replaced by it.
    ``android``: that block, as it came.
    """

    token: str
    payload: Mapping[str, object]
    ttl_s: int
    urgency: str
    topic: str | None
    android: Mapping[str, object]


def read_message(body: object, *, sender_id: str, message_id: str) -> FcmMessage:
    """Read the body of a request.

    Raises:
        MalformedError: a field is unknown, missing or of a wrong form.

    """
    message = _table(
        _table(body, "the body", {"message", "validate_only"}).get("message"), "message"
    )
    if unknown := set(message) - _FIELDS:
        raise MalformedError(f"message: unknown {sorted(unknown)}")
    token = message.get("token")
    if not isinstance(token, str) or not token or "fid" in message:
        raise MalformedError("message.token: exactly one receiver")
    webpush = _table(message.get("webpush", {}), "message.webpush", _WEBPUSH)
    headers = _table(webpush.get("headers", {}), "message.webpush.headers")
    link = _table(webpush.get("fcm_options", {}), "message.webpush.fcm_options", {"link"}).get(
        "link"
    )
    if link is not None and not str(link).startswith("https://"):
        raise MalformedError("message.webpush.fcm_options.link: https alone")
    payload = {
        "notification": _table(webpush.get("notification", {}), "message.webpush.notification"),
        "data": _table(webpush.get("data", {}), "message.webpush.data"),
        "fcmOptions": {} if link is None else {"link": link},
        "from": sender_id,
        "fcmMessageId": message_id,
    }
    if (size := len(json.dumps(payload, ensure_ascii=False).encode())) > PAYLOAD_MAX_BYTES:
        raise MalformedError(f"message.webpush: {size} bytes, {PAYLOAD_MAX_BYTES} at most")
    return FcmMessage(
        token=token,
        payload=payload,
        ttl_s=_seconds(headers.get("TTL", str(TTL_MAX_S))),
        urgency=_one_of(headers.get("Urgency", "normal"), "Urgency", "very-low low normal high"),
        topic=_topic(headers.get("Topic")),
        android=_android(message.get("android", {})),
    )


def _table(value: object, name: str, fields: set[str] | None = None) -> dict[str, object]:
    if not isinstance(value, dict):
        raise MalformedError(f"{name}: not an object")
    if fields is not None and (unknown := set(value) - fields):
        raise MalformedError(f"{name}: unknown {sorted(unknown)}")
    return value


def _seconds(value: object) -> int:
    if not (isinstance(value, str) and value.isascii() and value.isdigit()):
        raise MalformedError("message.webpush.headers.TTL: whole seconds, as text")
    if int(value) > TTL_MAX_S:
        raise MalformedError(f"message.webpush.headers.TTL: four weeks at most, {TTL_MAX_S}")
    return int(value)


def _one_of(value: object, name: str, allowed: str) -> str:
    if value not in allowed.split():
        raise MalformedError(f"{name}: one of {allowed}")
    return str(value)


def _topic(value: object) -> str | None:
    if value is None:
        return None
    if not (isinstance(value, str) and _TOPIC.fullmatch(value)):
        raise MalformedError("message.webpush.headers.Topic: up to 32 characters of base64url")
    return value


def _android(value: object) -> dict[str, object]:
    android = _table(value, "message.android", _ANDROID)
    _one_of(
        str(android.get("priority", "normal")).lower(), "message.android.priority", "normal high"
    )
    ttl = android.get("ttl", "0s")
    if not (isinstance(ttl, str) and _DURATION.fullmatch(ttl)):
        raise MalformedError("message.android.ttl: seconds with an s behind them")
    if float(ttl.rstrip("s")) > TTL_MAX_S:
        raise MalformedError(f"message.android.ttl: four weeks at most, {TTL_MAX_S}s")
    return android
