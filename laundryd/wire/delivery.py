"""What becomes of a notice, step by step, so that "why was I not told" has an answer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from laundryd.wire.ids import WireModel
from laundryd.wire.times import Moment


class DeliveryState(StrEnum):
    """What has become of a notice; ``STATES`` says what each means."""

    HELD = "held"
    WAITING = "waiting"
    DUE = "due"
    SENDING = "sending"
    PUSHED = "pushed"
    SHOWN = "shown"
    READ = "read"
    QUIET = "quiet"
    APP_ONLY = "app_only"
    DECLINED = "declined"
    EXPIRED = "expired"
    MOOT = "moot"
    UNREACHABLE = "unreachable"


STATES: Final[Mapping[DeliveryState, str]] = {
    DeliveryState.HELD: "Its room's edge is catching up; an acknowledgement may be under way.",
    DeliveryState.WAITING: "On a page, or pages are coming back; a push follows at the deadline.",
    DeliveryState.DUE: "To be pushed now.",
    DeliveryState.SENDING: "In the push queue.",
    DeliveryState.PUSHED: "At least one push service took it. A page that comes lists it in silence.",
    DeliveryState.SHOWN: "An app showed it on a page that can be seen.",
    DeliveryState.READ: "The resident opened or dismissed it.",
    DeliveryState.QUIET: "Away in their quiet hours; a push follows when those end.",
    DeliveryState.APP_ONLY: "Told on pages only: to a page that comes.",
    DeliveryState.DECLINED: "The resident wants to be told nothing of this kind.",
    DeliveryState.EXPIRED: "Not useful any more before anybody could be told.",
    DeliveryState.MOOT: "What happened since made it pointless, or untrue, to tell.",
    DeliveryState.UNREACHABLE: "Away, and no push service took it. A page that comes is still told.",
}


class Why(StrEnum):
    """Why a notice came into its state; ``WHYS`` says what each means."""

    ATTENTIVE = "attentive"
    NO_ANSWER = "no_answer"
    NOT_LOOKING = "not_looking"
    AWAY = "away"
    CAME_BACK = "came_back"
    RETURNING = "returning"
    CATCHING_UP = "catching_up"
    QUIET_HOURS = "quiet_hours"
    WISHED = "wished"
    KIND = "kind"
    OUTDATED = "outdated"
    NO_SUBSCRIPTION = "no_subscription"
    NOT_TAKEN = "not_taken"
    AT_RELAY = "at_relay"
    AT_ROOM = "at_room"


WHYS: Final[Mapping[Why, str]] = {
    Why.ATTENTIVE: "A page of theirs is looked at, and has 5 s to show it.",
    Why.NO_ANSWER: "The page that is looked at did not show it in time.",
    Why.NOT_LOOKING: "A page is open, but nobody looks at it.",
    Why.AWAY: "No page is open.",
    Why.CAME_BACK: "A page came back, is looked at, and has 5 s to show it.",
    Why.RETURNING: "The relay has just started; pages may be on their way back.",
    Why.CATCHING_UP: "The room's computer was away, and may bring the acknowledgement.",
    Why.QUIET_HOURS: "It is quiet for the resident now.",
    Why.WISHED: "The resident wished it so.",
    Why.KIND: "The kind is told on pages only.",
    Why.OUTDATED: "Something happened to the machine, or the room is heard again.",
    Why.NO_SUBSCRIPTION: "No device of theirs has the bell switched on.",
    Why.NOT_TAKEN: "The push services took it from nobody in time.",
    Why.AT_RELAY: "On a page of the relay's.",
    Why.AT_ROOM: "On the room's own page.",
}


class DeliveryStep(WireModel):
    """One step: real time, the state it led to, and why.

    ``why``: one of ``Why``, or what push services answered (``http_410``); empty: the state says it all.
    """

    at: Moment
    state: DeliveryState
    why: Annotated[str, Field(max_length=200)] = ""
