"""What a plug's message means, in one set of units, or why it was skipped.

Units are converted once, here at the border: watts and watt-hours. A value that the plug did not send
is None, "not measured", and never 0: a washer that is not measured is not a washer that stands still.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement of one machine.

    ``at`` is when it was heard (aware UTC): most plugs send a local time without a zone, or none.
    ``power_w`` is the power now, watts. ``energy_wh`` is the plug's counter, watt-hours; it may be reset
    by the plug at any time. None: not measured. ``said_at`` is when the plug itself last spoke, where a
    bridge between it and the broker says so; None: nobody says.
    """

    machine: str
    at: datetime
    power_w: float | None = None
    energy_wh: float | None = None
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlugOnline:
    """The plug, or the broker in its name, says that it came or went. ``at`` is aware UTC."""

    machine: str
    at: datetime
    online: bool


class RepeatCause(StrEnum):
    """Why a bridge sends again what it remembers."""

    START = "start"
    """It started; what it remembers may be older than what was heard of it last."""
    ASKED = "asked"
    """Somebody came who wants to know everything; it remembers what it sent last."""


@dataclass(frozen=True, slots=True)
class RepeatsFollow:
    """The bridge of a machine's plug will send values from its memory. ``at`` is aware UTC."""

    machine: str
    at: datetime
    cause: RepeatCause


class SkipReason(StrEnum):
    """Why a message was not used. The values are labels of a metric and of log lines: stable."""

    UNKNOWN_TOPIC = "unknown_topic"
    """No machine of this room listens to that topic."""
    OVERSIZED = "oversized"
    """More bytes than any plug sends."""
    MALFORMED = "malformed"
    """Not the text or JSON that this source sends."""
    NOT_MEASURED = "not_measured"
    """Well formed, but with neither power nor energy in it."""
    NO_SUCH_CHANNEL = "no_such_channel"
    """The plug has fewer channels than the machine's settings say."""
    IMPLAUSIBLE = "implausible"
    """A number that no laundry machine and no meter can mean."""
    RETAINED = "retained"
    """The broker's memory of a measurement, of unknown age: not a measurement of now."""
    REPEATED = "repeated"
    """A bridge's memory of a measurement, sent again: not a measurement of now."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A message that was not used. ``detail`` says what was wrong, for the log; it is bounded."""

    reason: SkipReason
    detail: str


Heard = Reading | PlugOnline
"""What one message can tell of one machine."""
Told = Heard | RepeatsFollow | Skip
"""What a source may make of one message; the router keeps the last two to itself. A skip among others is of
one value, beside those that could be used."""
