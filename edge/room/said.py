"""A resident's command with everything that its decision looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from edge.room.decision import Decision, Refused
from edge.room.records import MachineRecord, RoomState
from edge.room.timings import RoomTimings
from laundryd.wire.commands import ResidentCommand
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import ResidentId
from laundryd.wire.times import Moment


@dataclass(frozen=True, slots=True)
class Said:
    """``command`` about ``record``, said at ``now`` (room time) in the room of ``state``."""

    state: RoomState
    record: MachineRecord
    command: ResidentCommand
    now: Moment
    timings: RoomTimings

    @property
    def resident(self) -> ResidentId:
        """Who says it."""
        return self.command.resident

    def refused(self, code: ErrorCode, why: str) -> Refused:
        """Refuse it; ``why`` goes on after the machine and its phase."""
        return Refused(code, f"{self.record.machine} is {self.record.phase}: {why}")

    def too_soon(self, after: Moment, pause: timedelta, why: str) -> Refused | None:
        """Refuse it until ``pause`` after ``after``, saying how long that is; None when that is over."""
        left = after + pause - self.now
        if left <= timedelta():
            return None
        # Rounded up: who waits that long is not refused again.
        retry_after_s = -(-left // timedelta(seconds=1))
        said = f"{self.record.machine}: {why}; wait {retry_after_s} s"
        return Refused(ErrorCode.RATE_LIMITED, said, retry_after_s)


Move = Callable[[Said], Decision]
"""Carries out a command whose phase and owner were checked, or refuses it for its own reasons."""
