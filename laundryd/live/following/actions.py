"""What a client's decisions ask its I/O to do, in the order given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from laundryd.wire import frames
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import PagePosition, RoomKey
from laundryd.wire.machines import RoomSnapshot


class State(StrEnum):
    """What a reader is shown of the connection."""

    CONNECTING = "connecting"
    LIVE = "live"
    OFFLINE = "offline"
    """Five tries have failed; the client goes on trying."""
    STOPPED = "stopped"
    """Ended for good: by the server, or by us."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a new connection; say ``opened`` or ``closed`` of it."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Forget the connection, open or opening; nothing it still says counts."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a frame over the connection."""

    frame: frames.ClientFrame


@dataclass(frozen=True, slots=True)
class Get:
    """GET the room and say ``got`` or ``get_failed``.

    ``at_least``: where the room is known to have stood already; None: nothing is known of it.
    """

    room: RoomKey
    at_least: PagePosition | None


@dataclass(frozen=True, slots=True)
class AskWhy:
    """Find out by HTTP whether the server still lets us in, and say ``why``."""


@dataclass(frozen=True, slots=True)
class Show:
    """The connection's state changed."""

    state: State


@dataclass(frozen=True, slots=True)
class Take:
    """The whole room, as fetched.

    ``is_older``: it comes late and is from before the events that were applied; of it counts only what
    no event tells, the name, the edge's status and the like. Otherwise it replaces the room, even one
    that stood further: the server may have been restored from a backup.
    """

    snapshot: RoomSnapshot
    is_older: bool = False


@dataclass(frozen=True, slots=True)
class Apply:
    """The room's next event: each once, in order."""

    event: PublicEvent


Action = Connect | Drop | Send | Get | AskWhy | Show | Take | Apply
