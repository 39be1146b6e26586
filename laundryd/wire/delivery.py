"""What becomes of a notice, step by step, so that "why was I not told" has an answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from laundryd.wire.ids import WireModel
from laundryd.wire.times import Moment


class DeliveryState(StrEnum):
    """What has become of a notice. ``due_at`` is set in ``PLANNED`` ones."""

    HELD = "held"
    """Its room's edge is catching up; an acknowledgement may be under way."""
    WAITING = "waiting"
    """On a socket, or waiting for sessions to come back; a push follows at the deadline."""
    DUE = "due"
    """To be pushed now."""
    SENDING = "sending"
    """In the push queue."""
    PUSHED = "pushed"
    """At least one push service took it."""
    SHOWN = "shown"
    READ = "read"
    QUIET = "quiet"
    """Away in their quiet hours; a push follows when those end."""
    APP_ONLY = "app_only"
    """Told on pages only, as the resident wished or the kind demands: to a session that comes."""
    DECLINED = "declined"
    """The resident wants to be told nothing of this kind."""
    EXPIRED = "expired"
    """Not useful any more before anybody could be told."""
    MOOT = "moot"
    """What happened since made it pointless, or untrue, to tell."""
    UNREACHABLE = "unreachable"
    """Away, and no push subscription took it. It is still told to a session that comes."""


class DeliveryStep(WireModel):
    """One step: real time, the state it led to, and why; ``why`` empty: the state says it all."""

    at: Moment
    state: DeliveryState
    why: Annotated[str, Field(max_length=200)] = ""
