"""What residents and staff may ask of a machine, and the answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints

from laundryd.wire.errors import ERRORS, ErrorCode
from laundryd.wire.ids import ClosedModel, CommandId, Position, ResidentId, Slug, WireModel
from laundryd.wire.phases import Phase
from laundryd.wire.times import Moment

MAX_PROGRAMME_MIN: Final = 360
"""Longest programme a resident may register, minutes: the longest washer-dryer programmes take six hours."""


class CommandName(StrEnum):
    """A resident's words."""

    CLAIM = "claim"
    ARRIVE = "arrive"
    START = "start"
    ADOPT = "adopt"
    RELEASE = "release"
    COLLECT = "collect"
    EXTEND = "extend"
    REQUEST_PICKUP = "request_pickup"
    COMING = "coming"
    MUTE_PICKUP = "mute_pickup"
    UNMUTE_PICKUP = "unmute_pickup"
    WATCH = "watch"
    UNWATCH = "unwatch"
    REPORT_FAULT = "report_fault"


class StaffCommandName(StrEnum):
    """The staff's words, over the room's broker."""

    OUT_OF_ORDER = "out_of_order"
    REPAIRED = "repaired"
    ENDED = "ended"
    COLLECTED = "collected"
    FAULT_CLEARED = "fault_cleared"


COMMAND_PHASES: Final[dict[CommandName, frozenset[Phase]]] = {
    CommandName.CLAIM: frozenset({Phase.FREE}),
    CommandName.ARRIVE: frozenset({Phase.CLAIMED}),
    CommandName.START: frozenset({Phase.FREE, Phase.CLAIMED, Phase.ARRIVED}),
    CommandName.ADOPT: frozenset({Phase.IN_USE, Phase.FINISHED}),
    CommandName.RELEASE: frozenset({Phase.CLAIMED, Phase.ARRIVED, Phase.IN_USE}),
    CommandName.COLLECT: frozenset({Phase.FINISHED}),
    # Of a finished machine only where no working plug said so: a timer may be wrong.
    CommandName.EXTEND: frozenset({Phase.IN_USE, Phase.FINISHED}),
    CommandName.REQUEST_PICKUP: frozenset({Phase.FINISHED}),
    CommandName.COMING: frozenset({Phase.FINISHED}),
    # These four are about the resident, or about every machine of this one's kind, not its phase.
    CommandName.MUTE_PICKUP: frozenset(Phase),
    CommandName.UNMUTE_PICKUP: frozenset(Phase),
    CommandName.WATCH: frozenset(Phase),
    CommandName.UNWATCH: frozenset(Phase),
    CommandName.REPORT_FAULT: frozenset(Phase),
}
"""Phases in which a command can be accepted at all; whose machine it is decides the rest."""


FAULT_TEXT_MIN: Final = 3
"""Shortest text of a fault report, characters: a word."""
FAULT_TEXT_MAX: Final = 200
"""Longest text of a fault report, characters: one sentence for whoever repairs it."""

FaultText = Annotated[
    str,
    StringConstraints(min_length=FAULT_TEXT_MIN, max_length=FAULT_TEXT_MAX, strip_whitespace=True),
]


class CommandParams(ClosedModel):
    """Parameters of a command; None where it has none.

    ``minutes`` goes with ``start`` (the programme's length; None if unknown) and ``extend`` (minutes
    more). ``programme`` goes with ``start``, in place of ``minutes``: one that the room lists.
    ``text`` goes with ``report_fault``: for the staff's eyes alone.
    """

    minutes: Annotated[int, Field(ge=1, le=MAX_PROGRAMME_MIN)] | None = None
    programme: Slug | None = None
    text: FaultText | None = None


class ResidentCommand(WireModel):
    """A resident's command as the room's state machine takes it, from whichever page it came."""

    id: CommandId
    resident: ResidentId
    machine: Slug
    name: CommandName
    params: CommandParams = CommandParams()


class StaffCommand(ClosedModel):
    """A staff member's command on the room's broker; who they are stands in the topic.

    ``id`` names the wish: said again, it is answered again and not carried out again. None: each message
    is a wish of its own.
    """

    id: CommandId | None = None
    machine: Slug
    name: StaffCommandName


class CommandError(WireModel):
    """Why a command was refused: a stable code and a sentence that says what to do.

    ``retry_after_s`` goes with ``rate_limited``: room seconds until it may be said again.
    """

    code: ErrorCode
    message: str
    retry_after_s: int | None = None

    @classmethod
    def of(cls, code: ErrorCode, detail: str = "") -> Self:
        """Make the error of a code from the table of errors; ``detail`` goes before what to do."""
        row = ERRORS[code]
        return cls(code=code, message=" ".join(filter(None, (f"{row.title}.", detail, row.remedy))))


class CommandAnswer(WireModel):
    """What came of a command: exactly one of ``position`` (accepted) and ``error`` (nothing changed).

    ``durable`` is false when the edge runs from memory and may forget the change at a power cut.
    """

    id: CommandId
    ok: bool
    position: Position | None = None
    error: CommandError | None = None
    durable: bool = True


class DownCommand(WireModel):
    """A remote resident's command on its way from the relay to the edge.

    ``relay_id`` names the reply topic. ``expires_at`` is judged in the relay's real time: after it the
    resident was told that the room did not answer, so the edge refuses.
    """

    request_id: CommandId
    relay_id: CommandId
    command: ResidentCommand
    sent_at: Moment
    expires_at: Moment


class UpAnswer(WireModel):
    """The edge's answer to a remote command."""

    request_id: CommandId
    answer: CommandAnswer
