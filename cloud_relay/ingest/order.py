"""Which entries of a batch are new, and what the edge is told; pure.

The broker may lose, double and reorder. An entry takes effect when everything before it did, once;
what is missing is asked for, and an epoch that is not kept begins with a snapshot. Numbers alone prove
nothing: an edge that was restored from a backup gives the same ones to other entries. So a batch must go
on from the very entry that is kept, which each entry's ``run`` shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from laundryd.wire.events import Entry
from laundryd.wire.ids import Offset, Position, Run, Word
from laundryd.wire.uplink import DownAck

BEYOND_EVERY_HEAD: Final = 2**53 - 1
"""The wire's largest offset. To keep more than an edge has is the one thing that makes it begin an
epoch of its own, as it must when it comes back with one that was left for good."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``take`` follows what is kept, without a hole. ``answer`` None: nothing to say."""

    take: tuple[Entry, ...]
    answer: DownAck | None


@dataclass(frozen=True, slots=True)
class Before:
    """What the edge says stands before the first entry of its batch; None: it did not say."""

    offset: Offset | None = None
    run: Run | None = None


def decide(
    kept: Position | None,
    entries: Sequence[Entry],
    *,
    kept_run: Run | None = None,
    before: Before = Before(),
    word: Word | None = None,
) -> Decision:
    """Judge a batch against what is kept.

    ``kept`` None: nothing of this room was ever kept. ``kept_run`` wrote the entry at ``kept``; None: not
    known. Duplicates inside the batch and any order in it are taken well. The answer names the epoch
    that it speaks of, and the batch's ``word``: an edge that has left that epoch ignores it. An empty
    batch is answered with what is kept. A batch of another past than the one that is kept is answered
    with ``BEYOND_EVERY_HEAD``.
    """
    foreign = next((e for e in entries if kept is None or e.epoch != kept.epoch), None)
    if foreign is not None:
        return Decision((), DownAck(epoch=foreign.epoch, offset=0, snapshot=True, word=word))
    if kept is None:
        return Decision((), None)
    if kept_run is not None and any(
        run not in {None, kept_run} for run in _runs_at(kept.offset, entries, before)
    ):
        return Decision((), DownAck(epoch=kept.epoch, offset=BEYOND_EVERY_HEAD, word=word))
    take: list[Entry] = []
    reached = kept.offset
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset == reached + 1:
            take.append(entry)
            reached = entry.offset
    send_from = reached + 1 if any(entry.offset > reached for entry in entries) else None
    return Decision(
        tuple(take), DownAck(epoch=kept.epoch, offset=reached, send_from=send_from, word=word)
    )


def _runs_at(offset: Offset, entries: Sequence[Entry], before: Before) -> Iterable[Run | None]:
    """Return who wrote the entry at ``offset``, as far as the edge told it."""
    if before.offset == offset:
        yield before.run
    yield from (entry.run for entry in entries if entry.offset == offset)
