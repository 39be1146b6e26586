"""Which entries of a batch are new, and what the edge is told; pure.

The broker may lose, double and reorder. An entry takes effect when everything before it did, once;
what is missing is asked for, and an epoch that is not kept begins with a snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from laundryd.wire.events import Entry
from laundryd.wire.ids import Position
from laundryd.wire.uplink import DownAck


@dataclass(frozen=True, slots=True)
class Decision:
    """``take`` follows what is kept, without a hole. ``answer`` None: nothing to say."""

    take: tuple[Entry, ...]
    answer: DownAck | None


def decide(kept: Position | None, entries: Sequence[Entry]) -> Decision:
    """Judge a batch against what is kept.

    ``kept`` None: nothing of this room was ever kept. Duplicates inside the batch and any order in it
    are taken well. The answer names the epoch that it speaks of: an edge that has left that epoch
    ignores it. An empty batch is answered with what is kept.
    """
    foreign = next((e for e in entries if kept is None or e.epoch != kept.epoch), None)
    if foreign is not None:
        return Decision((), DownAck(epoch=foreign.epoch, offset=0, snapshot=True))
    if kept is None:
        return Decision((), None)
    take: list[Entry] = []
    reached = kept.offset
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset == reached + 1:
            take.append(entry)
            reached = entry.offset
    beyond = any(entry.offset > reached for entry in entries)
    return Decision(
        tuple(take),
        DownAck(epoch=kept.epoch, offset=reached, send_from=reached + 1 if beyond else None),
    )
