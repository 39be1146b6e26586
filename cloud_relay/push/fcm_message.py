"""A notice as a message of FCM's, in the resident's language; pure.

FCM keeps the block that fits: ``webpush`` for browsers, which is what our app is, ``android`` for an app of
Android's own. Both come from the same notice: one id is tag, Topic and collapse key, and both end with its
use. https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
"""

from __future__ import annotations

from datetime import datetime

from firebase_admin import messaging

from cloud_relay.push import message
from laundryd.wire.notices import NOTICES, Lang, NoticeCard, Urgency


def fcm_message(
    card: NoticeCard,
    lang: Lang,
    token: str,
    now: datetime,
    *,
    public_url: str,
    speed: float = 1.0,
) -> messaging.Message:
    """Write the message to ``token``; ``now`` is room time, ``speed`` room seconds a real second."""
    shown = message.notification(card, lang, public_url=public_url)
    left_s = message.useful_s(card, now, speed=speed)
    urgency = NOTICES[card.kind].urgency
    webpush = messaging.WebpushConfig(
        headers={"TTL": str(left_s), "Urgency": urgency.value, "Topic": card.id},
        notification=messaging.WebpushNotification(
            title=shown["title"],
            body=shown["body"],
            language=shown["lang"],
            silent=shown["silent"],
            tag=shown["tag"],
            actions=[
                messaging.WebpushNotificationAction(one["action"], one["title"])
                for one in shown["actions"]
            ],
            data={name: text for name, text in shown["data"].items() if text is not None},
            custom_data={"navigate": shown["navigate"]},
        ),
        # FCM takes https alone; plain http is a demo's.
        fcm_options=messaging.WebpushFCMOptions(link=shown["navigate"])
        if public_url.startswith("https:")
        else None,
    )
    android = messaging.AndroidConfig(
        collapse_key=card.id,
        # High reaches a phone that dozes.
        priority="high" if urgency is Urgency.HIGH else "normal",
        ttl=left_s,
        notification=messaging.AndroidNotification(
            title=shown["title"], body=shown["body"], tag=card.id
        ),
    )
    made = messaging.Message(webpush=webpush, android=android)
    # Not as an argument: the library would warn at each push that installation ids take the place of
    # tokens. We stay with tokens: a registration made anew has a new one, so that one which was
    # forgotten is told from the one that took its place.
    made.token = token
    return made
