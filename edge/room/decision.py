"""What the room decides: refused with a code, or accepted as a list of changes."""

from __future__ import annotations

from dataclasses import dataclass

from edge.room.records import MachineRecord
from edge.room.waits import Waits
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import ResidentId, Slug
from laundryd.wire.notices import NoticeKind, NoticeParams
from laundryd.wire.phases import Cause, is_legal
from laundryd.wire.times import Moment


class ImpossibleMoveError(Exception):
    """The state machine was about to make a move that the wire's table does not have: a bug of ours."""


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """A notice before the change that caused it has its number.

    ``useful_until``: the cause's own end; None: as long as the kind's row says.
    """

    kind: NoticeKind
    resident: ResidentId
    params: NoticeParams
    useful_until: Moment | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One machine after one change. ``cause`` None: bookkeeping that nobody sees and no event tells."""

    record: MachineRecord
    cause: Cause | None
    notices: tuple[NoticeDraft, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitChange:
    """``resident`` waits for something else than before, after the machines' changes.

    ``notice`` tells them of ``machine``; both or none. No event tells it: it is nobody else's business.
    """

    resident: ResidentId
    machine: Slug | None = None
    notice: NoticeDraft | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The input was taken; ``changes`` in order, none when it said nothing new.

    ``waits``: who waits for what now; None when that is as before. ``wait_changes`` say who is concerned.
    """

    changes: tuple[Change, ...] = ()
    waits: Waits | None = None
    wait_changes: tuple[WaitChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing changes. ``detail``: which machine, what it is, what to do; never who.

    ``retry_after_s`` goes with ``rate_limited``: room seconds until the same may be accepted.
    """

    code: ErrorCode
    detail: str
    retry_after_s: int | None = None


Decision = Accepted | Refused


def change(
    before: MachineRecord, cause: Cause, after: MachineRecord, *notices: NoticeDraft
) -> Change:
    """Make the change from ``before`` to ``after``.

    Raises:
        ImpossibleMoveError: ``wire.phases.MOVES`` has no such move.

    """
    if not is_legal(cause, before.phase, after.phase):
        raise ImpossibleMoveError(
            f"{before.machine}: {cause} cannot take it from {before.phase} to {after.phase}"
        )
    return Change(after, cause, notices)


def quiet(after: MachineRecord) -> Accepted:
    """Accept by bookkeeping alone."""
    return Accepted((Change(after, None),))


def changes_of(decision: Decision) -> tuple[Change, ...]:
    """Return what a decision changes of the machines; nothing when it was refused."""
    return decision.changes if isinstance(decision, Accepted) else ()


def told(
    record: MachineRecord,
    kind: NoticeKind,
    *,
    minutes: int | None = None,
    until: Moment | None = None,
) -> tuple[NoticeDraft, ...]:
    """Draft ``kind`` for the owner of ``record``; nothing when it is nobody's."""
    if record.owner is None:
        return ()
    return (draft(record, kind, record.owner, minutes=minutes, until=until),)


def draft(
    record: MachineRecord,
    kind: NoticeKind,
    resident: ResidentId,
    *,
    minutes: int | None = None,
    until: Moment | None = None,
) -> NoticeDraft:
    """Draft ``kind``, about ``record``, for ``resident``; useful ``until`` then, if that is known."""
    params: NoticeParams = {"name": record.name}
    if minutes is not None:
        params["minutes"] = minutes
    return NoticeDraft(kind, resident, params, until)
