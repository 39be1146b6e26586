"""How long things last in the room: one setting each, with unit and reason. All in room time."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[int, Field(ge=1, le=86_400)]


class RoomTimings(BaseModel):
    """The room's timings, seconds of room time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hold_s: Seconds = Field(
        600,
        description="Seconds a claimed machine is held for the resident on the way. Ten minutes: time "
        "to pack the laundry and come down, short enough that nobody hoards an idle machine.",
    )
    arrive_s: Seconds = Field(
        300,
        description="Seconds that 'I'm here' adds to the hold. Five minutes: time to load and pay.",
    )
    hold_ending_s: Seconds = Field(
        120,
        description="Seconds before the end of a hold at which a resident who has not arrived is told. "
        "Two minutes: the way down for who is near, and time to hold it anew in the app for who is not. "
        "A hold that is no longer than this is not announced.",
    )
    no_power_s: Seconds = Field(
        300,
        description="Seconds after which a machine registered as in use is released when its plug "
        "hears no cycle. Five minutes: longer than any delay between registering and pressing start "
        "and than the detection of a start.",
    )
    ending_soon_s: Seconds = Field(
        300,
        description="Seconds before the expected end at which the owner is told. Five minutes: the "
        "way down to the laundry room.",
    )
    longest_run_s: Seconds = Field(
        21_600,
        description="Seconds after which a running machine without a working plug and without a known "
        "end counts as finished. Six hours, the longest washer-dryer programme: without it a machine "
        "that was registered without minutes would stay in use for ever.",
    )
    remind_s: Seconds = Field(
        900,
        description="Seconds after the end, and between two reminders, after which the owner of a "
        "finished machine is told again, three times in all. Fifteen minutes: most have come by then, "
        "and who waits for the machine has not waited long.",
    )
    watch_turn_s: Seconds = Field(
        180,
        description="Seconds that a resident who waits for a machine has before the next in the queue "
        "is told. Three minutes: time to read it and say 'on my way'.",
    )

    @property
    def hold(self) -> timedelta:
        """``hold_s`` as a duration."""
        return timedelta(seconds=self.hold_s)

    @property
    def hold_ending(self) -> timedelta:
        """``hold_ending_s`` as a duration."""
        return timedelta(seconds=self.hold_ending_s)

    @property
    def arrive(self) -> timedelta:
        """``arrive_s`` as a duration."""
        return timedelta(seconds=self.arrive_s)

    @property
    def no_power(self) -> timedelta:
        """``no_power_s`` as a duration."""
        return timedelta(seconds=self.no_power_s)

    @property
    def ending_soon(self) -> timedelta:
        """``ending_soon_s`` as a duration."""
        return timedelta(seconds=self.ending_soon_s)

    @property
    def longest_run(self) -> timedelta:
        """``longest_run_s`` as a duration."""
        return timedelta(seconds=self.longest_run_s)

    @property
    def remind(self) -> timedelta:
        """``remind_s`` as a duration."""
        return timedelta(seconds=self.remind_s)

    @property
    def watch_turn(self) -> timedelta:
        """``watch_turn_s`` as a duration."""
        return timedelta(seconds=self.watch_turn_s)
