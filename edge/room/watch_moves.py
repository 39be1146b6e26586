"""Waiting for a machine of a kind; who is told when is ``edge.room.watching``'s to say."""

from __future__ import annotations

import math
from dataclasses import replace

from edge.room.decision import Accepted, Decision, Refused
from edge.room.said import Said
from edge.room.waits import WATCHES_MAX, Watch
from edge.room.watching import free_for_all
from laundryd.wire.errors import ErrorCode


def watch(said: Said) -> Decision:
    """Put the resident at the queue's end, for any machine of the named one's kind; once is enough."""
    waits, kind = said.state.waits, said.record.kind
    if waits.watching(said.resident, kind):
        return Accepted()
    free = free_for_all(said.state, kind)
    if free is not None:
        return Refused(ErrorCode.FREE_NOW, f"{free.machine}, a {kind}, is free")
    if len(waits.watches) >= WATCHES_MAX:
        # No turn is shorter than it takes for one of them to be off the list.
        return Refused(
            ErrorCode.RATE_LIMITED,
            f"{len(waits.watches)} residents wait already, and the list takes no more",
            math.ceil(said.timings.watch_turn.total_seconds()),
        )
    new = Watch(resident=said.resident, kind=kind, since=said.now)
    return Accepted(waits=replace(waits, watches=(*waits.watches, new)))


def unwatch(said: Said) -> Decision:
    """Take the resident off the queue of that kind."""
    waits = said.state.waits
    left = tuple(
        one
        for one in waits.watches
        if (one.resident, one.kind) != (said.resident, said.record.kind)
    )
    return Accepted(waits=replace(waits, watches=left))
