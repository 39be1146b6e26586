"""A resident's bells: which of their devices a push reaches, and what came of a try."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from laundryd.wire.ids import WireModel
from laundryd.wire.times import Moment

NAME_MAX: Final = 60
"""Characters of a device's name: "Samsung Internet on Android" has half as many."""


def plain_words(text: object) -> object:
    """Return ``text`` without what cannot be seen: control characters, turned writing, runs of blanks.

    A name is shown to its owner beside others of theirs: it must not be able to pass for another line.
    Anything but a text is returned as it is, for the field to refuse.
    """
    if not isinstance(text, str):
        return text
    seen = (" " if unicodedata.category(char)[0] in "CZ" else char for char in text[: 4 * NAME_MAX])
    return " ".join("".join(seen).split())[:NAME_MAX].rstrip()


def _or_browser(name: str) -> str:
    return name or "Browser"


DeviceWords = Annotated[str, BeforeValidator(plain_words), AfterValidator(_or_browser)]
"""What a browser says that it is, "Chrome on Android": cut to ``NAME_MAX``, never refused for its form."""
SubscriptionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class PushTry(StrEnum):
    """What came of one push to one device; ``TRIES`` says what each means."""

    ACCEPTED = "accepted"
    DEAD = "dead"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


TRIES: Final[Mapping[PushTry, str]] = {
    PushTry.ACCEPTED: "Its push service took it; the device shows it when it is on and has a network.",
    PushTry.DEAD: "Its push service does not know it any more: switch the bell on again there.",
    PushTry.REFUSED: "Its push service, or the relay, refuses it; the staff can see why.",
    PushTry.UNANSWERED: "Its push service cannot just now; notices are tried again while they are useful.",
}


class PushFault(WireModel):
    """The last thing that went wrong with a bell; real time.

    ``kind``: ``http_`` and the push service's status, ``fcm_`` and what FCM calls it, or the name of what
    failed: ``timeout``, ``dns``, ``tls``, ``connection``, ``unusable_keys``, ``endpoint_refused``,
    ``private_address``; ``key_dropped``: the relay's push key was changed, and the app was not opened in
    all the time that both were good.
    """

    at: Moment
    kind: Annotated[str, Field(max_length=60)]


class MySubscription(WireModel):
    """One device that pushes reach, or reached; all times are real.

    ``here``: it belongs to the device that asks. ``seen_at``: when its app last started. ``expires_at``:
    when the browser says that it ends, None: no end is known. ``sent_at``: when its push service last
    took something, None: never. ``fault``: what went wrong since. ``lost``: its push service has
    forgotten it, ``fault`` says when; it rings no more.
    """

    id: SubscriptionId
    name: str
    here: bool
    created_at: Moment
    seen_at: Moment
    expires_at: Moment | None = None
    sent_at: Moment | None = None
    fault: PushFault | None = None
    lost: bool = False


class MySubscriptions(WireModel):
    """Answer of ``GET /push/subscriptions``: the resident's own, of all their devices, oldest first.

    And of ``GET /staff/residents/{resident}/subscriptions``, where none is ``here``.
    """

    subscriptions: list[MySubscription]


class Tried(WireModel):
    """What came of a test at one device. ``kind``: as in ``PushFault``, empty when it was accepted."""

    id: SubscriptionId
    name: str
    here: bool
    outcome: PushTry
    kind: Annotated[str, Field(max_length=60)] = ""


class PushTested(WireModel):
    """Answer of ``POST /push/test``: every device of the resident's that was tried."""

    tried: list[Tried]
