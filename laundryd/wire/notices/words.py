"""The words of the table of notices: kinds, actions, who is told, by which ways, and what a row holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from laundryd.wire.commands import CommandName, CommandParams
from laundryd.wire.phases import Cause


class Lang(StrEnum):
    """Languages that the texts exist in."""

    KO = "ko"
    EN = "en"


class NoticeKind(StrEnum):
    """What is told; one row of ``NOTICES`` each."""

    STARTED = "started"
    ENDING_SOON = "ending_soon"
    DONE = "done"
    RESUMED = "resumed"
    REMINDER = "reminder"
    COLLECTED_FOR_YOU = "collected_for_you"
    NOT_STARTED = "not_started"
    EDGE_GONE = "edge_gone"
    HOLD_ENDING = "hold_ending"
    HOLD_ENDED = "hold_ended"
    STARTED_BY_OTHER = "started_by_other"
    MACHINE_FREE = "machine_free"
    PICKUP_REQUESTED = "pickup_requested"
    OWNER_COMING = "owner_coming"
    OUT_OF_ORDER = "out_of_order"
    REPAIRED = "repaired"
    ANNOUNCEMENT = "announcement"
    BELL_ENDING = "bell_ending"
    TEST = "test"


class Urgency(StrEnum):
    """RFC 8030 section 5.3. iPhones show only ``high`` at once."""

    NORMAL = "normal"
    HIGH = "high"


class Channel(StrEnum):
    """The ways that a kind may take at most; a resident may choose fewer, never more."""

    APP = "app"
    """On open pages and in the list of notices; never pushed."""
    APP_AND_PUSH = "app_and_push"


class Origin(StrEnum):
    """Which program derives it."""

    EDGE = "edge"
    """From a change of the room, into the journal."""
    RELAY = "relay"
    """From what no room can say: that it is not heard, that staff has something to announce, that a
    bell ends."""


class Who(StrEnum):
    """Who is told."""

    OWNER = "owner"
    """Whose laundry is in the machine."""
    HOLDER = "holder"
    """For whom the machine was held."""
    OWNER_OR_HOLDER = "owner_or_holder"
    """Whoever had the machine when it happened."""
    ASKERS = "askers"
    """Those who asked that it be collected, since the last answer."""
    FIRST_IN_LINE = "first_in_line"
    """Who waits longest for a machine of the kind and was not told of one yet."""
    ADDRESSED = "addressed"
    """The residents of the machine, room or site that staff addressed."""
    SUBSCRIBER = "subscriber"
    """Whose device it is that has the bell."""
    TESTER = "tester"
    """Who asked for a test of their own devices."""


class ActionId(StrEnum):
    """A button of a notice; the name is stable, and what a push's ``action`` says."""

    COMING = "coming"
    COLLECT = "collect"
    ADOPT = "adopt"
    EXTEND = "extend"
    CLAIM = "claim"
    ARRIVE = "arrive"
    START = "start"


@dataclass(frozen=True, slots=True)
class Action:
    """What a button of a notice does: it sends ``command`` with ``params`` about the notice's machine.

    ``label``: what stands on it, the same words as on the machine's card where the app has them.
    """

    command: CommandName
    label: Mapping[Lang, str]
    params: CommandParams = field(default_factory=CommandParams)


@dataclass(frozen=True, slots=True)
class Text:
    """A title and a body; ``{name}`` and the like stand for the notice's parameters."""

    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """One row of the table.

    ``cause``: when it is derived, for engineers; ``when``: the same for residents, as one line of their
    preferences. ``who`` is told. ``params`` are the names that ``texts`` use. ``useful_for`` runs from
    the cause, unless that has an end of its own; after it the notice is not told any more. ``actions``:
    its buttons, the most probably meant first. ``channel``: the ways it takes at most.

    ``held_in_quiet_hours``: in a resident's quiet hours it is not pushed; when they end it is, if it is
    still useful and nothing of ``moot_after`` happened. Pages that are open get it at any hour.
    ``may_turn_off``: a resident may choose to be told nothing of the kind; to have it in the app only
    they may always choose. ``quiet_because`` and ``off_because`` say why, from the resident's side.

    ``moot_after``: later changes of the same machine that make it pointless, or untrue, to tell.
    ``of_machine`` False: it may be about no machine. ``is_chosen`` False: it does not stand among what
    residents choose of.
    """

    cause: str
    who: Who
    when: Mapping[Lang, str]
    params: tuple[str, ...]
    texts: Mapping[Lang, Text]
    urgency: Urgency
    useful_for: timedelta
    channel: Channel
    held_in_quiet_hours: bool
    quiet_because: str
    may_turn_off: bool
    off_because: str
    actions: tuple[ActionId, ...] = ()
    moot_after: tuple[Cause, ...] = ()
    origin: Origin = Origin.EDGE
    of_machine: bool = True
    is_chosen: bool = True
