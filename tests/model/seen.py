"""What a page was sent and what it made of it, judged at once: by the protocol's words, not the client's.

The client decides by ``laundryd.live.following``; nothing here asks it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from laundryd.live.follow import Step, step
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Position
from laundryd.wire.machines import MachineView, RoomSnapshot


class LeftAHoleError(AssertionError):
    """The server let a page miss something without saying so."""


class SentTwiceError(AssertionError):
    """The server sent over one connection what it had sent before."""


class TookEffectTwiceError(AssertionError):
    """A page applied what it had, or what it had no place for."""


class KeptWhatIsNoMoreError(AssertionError):
    """A page was told that its history is not continued, and does not show the room that it fetched."""


class SessionLostError(AssertionError):
    """A page came back and was not recognised."""


class SignedOutError(AssertionError):
    """A page was told that its resident is none, and nobody had removed them."""


@dataclass
class Seen:
    """What a page was sent, and what it shows."""

    name: str
    texts: list[str] = field(default_factory=list)
    applied: Counter[tuple[str, int]] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    results: dict[str, frames.Result] = field(default_factory=dict)
    snapshots: int = 0
    welcomes: int = 0
    final_codes: list[int] = field(default_factory=list)
    machines: dict[str, MachineView] = field(default_factory=dict)
    position: Position | None = None
    """Of what is shown."""
    _came_to: Position | None = None
    """How far this connection's events came."""
    _promised: Position | None = None
    """Up to where the page has everything, as the server said; None: it said nothing, or a new numbering
    excuses it."""

    _owes_the_room: bool = False
    """The server said that it does not go on from where the page stands."""

    @property
    def closed_for_good(self) -> set[int]:
        """The codes after which no page comes back; one whose session went elsewhere begins anew."""
        return set(self.final_codes) - {CloseCode.REPLACED}

    # -- the server's side

    def lost(self) -> None:
        """Take it that the connection is over: the next one begins anew."""
        self._came_to = self._promised = None

    def welcomed(self, named: Position | None, resume: frames.RoomResume | None) -> None:
        """Take the answer to an ``identify`` that ``named`` a position."""
        self.welcomes += 1
        self._promised = None
        if resume is None:
            return
        head = Position(epoch=resume.epoch, offset=resume.offset)
        if resume.recovered:
            self._promised = named
            return
        # The page fetches the room at the head or after it, and is told what comes after the head.
        self._promised = head
        self._owes_the_room = True
        for epoch, offset in list(self.applied):
            if epoch == head.epoch and offset > head.offset:
                # The server was restored: what we have of its future is no more, and comes again.
                del self.applied[epoch, offset]

    def came(self, events: Sequence[PublicEvent]) -> None:
        """Take a batch.

        Raises:
            SentTwiceError, LeftAHoleError: the server did not keep its word.

        """
        for event in events:
            is_marker = event.follows == event.offset  # after a snapshot of the room's edge
            came, promised = self._came_to, self._promised
            is_again = came is not None and came.epoch == event.epoch
            if came is not None and is_again and event.offset <= came.offset and not is_marker:
                raise SentTwiceError(
                    f"{self.name} got {event.offset} after {came} over one connection"
                )
            self._came_to = Position(epoch=event.epoch, offset=event.offset)
            if promised is None:
                continue
            if is_marker or event.epoch != promised.epoch:
                self._promised = None
            elif step(promised, event) is Step.GAP:
                raise LeftAHoleError(
                    f"{self.name} was told that it has all up to {promised}, and then came "
                    f"{event.offset}, which follows {event.follows}"
                )
            elif event.offset > promised.offset:
                self._promised = self._came_to

    # -- the page's side

    def took(self, snapshot: RoomSnapshot, *, is_older: bool) -> None:
        """Show a fetched room.

        Raises:
            KeptWhatIsNoMoreError: what it showed before counts no more, and it keeps that.

        """
        self.snapshots += 1
        if is_older and self._owes_the_room:
            raise KeptWhatIsNoMoreError(
                f"{self.name} was not recovered, got the room at {snapshot.position} and keeps what "
                f"it had at {self.position}"
            )
        self._owes_the_room = False
        if not is_older:
            self.machines = {machine.machine: machine for machine in snapshot.machines}
            self.position = snapshot.position

    def apply(self, event: PublicEvent) -> None:
        """Show an event.

        Raises:
            TookEffectTwiceError: it does not follow what is shown.

        """
        if step(self.position, event) is not Step.APPLY:
            raise TookEffectTwiceError(
                f"{self.name} is at {self.position} and applies {event.offset}"
            )
        self.machines[event.machine.machine] = event.machine
        self.position = Position(epoch=event.epoch, offset=event.offset)
        self.applied[event.epoch, event.offset] += 1
