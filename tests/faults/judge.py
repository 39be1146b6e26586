"""What became of every accepted event and notice at somebody who should have heard of it; pure.

A reader (a live client, the relay's journal) writes down, in order, what it was given: single events,
that it was told to take a snapshot, and snapshots. Whatever of the accepted events is neither given nor
covered by a snapshot that the reader was *told* to take is lost: a silent gap.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from laundryd.wire.ids import NoticeId, Position


@dataclass(frozen=True, slots=True)
class Saw:
    """The reader was given the event at ``position``."""

    position: Position


@dataclass(frozen=True, slots=True)
class Told:
    """The reader learned that it must take a snapshot; ``head`` is where the room stood then.

    A head that lies behind what the reader knows: the server was restored from a backup.
    """

    head: Position


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The reader took the whole room at ``position``."""

    position: Position


Item = Saw | Told | Snapshot


def epochs_of(items: Iterable[Item]) -> Iterator[str]:
    """Yield the epochs that a reader was in, in order; some again and again."""
    return ((one.head if isinstance(one, Told) else one.position).epoch for one in items)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The public events that the room accepted, in order; ``epochs`` in the order of their beginning.

    ``whole``: the epochs of which every event is known. In another one (the room ran from memory) only
    those are known that somebody was answered.
    """

    events: tuple[Position, ...]
    epochs: tuple[str, ...]
    whole: frozenset[str]

    def rank(self, position: Position) -> tuple[int, int]:
        """Return what positions are sorted by, over all epochs."""
        return self.epochs.index(position.epoch), position.offset


@dataclass(slots=True)
class Verdict:
    """What one reader made of the accepted events.

    ``told``: covered by a snapshot that it was told to take. ``invented``: given, but never accepted.
    ``disordered``: given after a later one.
    """

    seen: int = 0
    told: int = 0
    lost: list[Position] = field(default_factory=list)
    doubled: list[Position] = field(default_factory=list)
    invented: list[Position] = field(default_factory=list)
    disordered: list[Position] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether the promise was kept."""
        return not (self.lost or self.doubled or self.invented or self.disordered)


class _Walk:
    """One reader's way through what was accepted."""

    def __init__(self, accepted: Accepted) -> None:
        self._accepted = accepted
        self._left = deque(sorted(accepted.events, key=accepted.rank))
        self._real = frozenset(accepted.events)
        self._given: set[Position] = set()
        self._passed: list[Position] = []
        """Not given, and not covered yet: the reader knows that it lacks something."""
        self._is_told = False
        self._reached: tuple[int, int] | None = None
        self.verdict = Verdict()

    def take(self, item: Item) -> None:
        match item:
            case Told(head):
                self._is_told = True
                self._go_back(self._accepted.rank(head))
            case Saw(position):
                self._saw(position)
            case Snapshot(position):
                self._snapshot(position)

    def end(self) -> Verdict:
        self.verdict.lost += [*self._passed, *self._left]
        return self.verdict

    def _saw(self, position: Position) -> None:
        verdict, rank = self.verdict, self._accepted.rank(position)
        if position in self._given:
            verdict.doubled.append(position)
            return
        self._given.add(position)
        if position not in self._real:
            if position.epoch in self._accepted.whole:
                verdict.invented.append(position)
            return
        if self._reached is not None and rank <= self._reached:
            verdict.disordered.append(position)
            return
        self._skip(rank)
        if self._left and self._left[0] == position:
            self._left.popleft()
            verdict.seen += 1
        self._reached = rank

    def _go_back(self, head: tuple[int, int]) -> None:
        # What comes after it comes rightly once more.
        self._given = {one for one in self._given if self._accepted.rank(one) <= head}
        if self._reached is not None:
            self._reached = min(self._reached, head)

    def _skip(self, rank: tuple[int, int]) -> None:
        while self._left and self._accepted.rank(self._left[0]) < rank:
            (self._passed if self._is_told else self.verdict.lost).append(self._left.popleft())

    def _snapshot(self, position: Position) -> None:
        index, offset = self._accepted.rank(position)
        self._skip((index, offset + 1))
        rank_of = self._accepted.rank
        covered = [one for one in self._passed if rank_of(one) <= (index, offset)]
        self._passed = [one for one in self._passed if rank_of(one) > (index, offset)]
        self.verdict.told += len(covered)
        self._is_told = bool(self._passed)


def judge(accepted: Accepted, items: Iterable[Item]) -> Verdict:
    """Follow one reader, from where it stood before the first of ``accepted``, to the end."""
    walk = _Walk(accepted)
    for item in items:
        walk.take(item)
    return walk.end()


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice that the room derived in ``epoch``. ``useful_until`` is room time."""

    id: NoticeId
    epoch: str
    resident: str
    useful_until: datetime


@dataclass(slots=True)
class NoticeVerdict:
    """What became of notices. ``expired``: told to nobody, and not useful any more.

    ``twice``: pushed although a page had shown it, or pushed again; ``strange``: a push of it that was not
    under its own Topic, or a telling of a notice to somebody else.
    """

    told: int = 0
    expired: int = 0
    twice: list[NoticeId] = field(default_factory=list)
    lost: list[NoticeId] = field(default_factory=list)
    strange: list[NoticeId] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether the promise was kept; telling twice under one Topic keeps it."""
        return not (self.lost or self.strange)


@dataclass(frozen=True, slots=True)
class Push:
    """A push that a phone decrypted."""

    notice_id: NoticeId
    topic: str | None


def judge_notices(
    due: Sequence[DueNotice],
    shown: Mapping[str, frozenset[NoticeId]],
    pushed: Mapping[str, Sequence[Push]],
    room_now: datetime,
) -> NoticeVerdict:
    """Compare notices with what each resident's pages showed and their phones got, by resident."""
    verdict = NoticeVerdict()
    owner = {one.id: one.resident for one in due}
    for one in due:
        on_page = one.id in shown.get(one.resident, frozenset())
        pushes = [push for push in pushed.get(one.resident, ()) if push.notice_id == one.id]
        if not on_page and not pushes:
            if room_now >= one.useful_until:
                verdict.expired += 1
            else:
                verdict.lost.append(one.id)
            continue
        verdict.told += 1
        if len(pushes) + on_page > 1:
            verdict.twice.append(one.id)
        if any(push.topic != one.id for push in pushes):
            verdict.strange.append(one.id)
    seen = Counter[tuple[str, NoticeId]]()
    for resident, ids in shown.items():
        seen.update((resident, one) for one in ids)
    for resident, pushes_of in pushed.items():
        seen.update((resident, push.notice_id) for push in pushes_of)
    verdict.strange += [one for resident, one in seen if one in owner and owner[one] != resident]
    return verdict
