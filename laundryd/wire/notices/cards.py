"""Notices as they travel: their ids, their cards, and how they are derived from the table."""

from __future__ import annotations

import hashlib
from typing import Annotated, Self

from pydantic import Field, model_validator

from laundryd.wire.ids import NoticeId, Position, ResidentId, RoomKey, Slug, WireModel
from laundryd.wire.notices.table import NOTICES
from laundryd.wire.notices.words import ActionId, NoticeKind
from laundryd.wire.times import Moment

NoticeParams = dict[
    Annotated[str, Field(max_length=20)], Annotated[str, Field(max_length=120)] | int
]
"""The longest is the body of an announcement, as long as any rendered body."""


class NoticeCard(WireModel):
    """A notice as its resident gets it: on a socket, in a list, in a push. It does not say who.

    ``machine`` is None only where the kind's row says that it may be about none (``of_machine``).
    ``actions``: those of its row's buttons that could be meant when it was caused (a machine whose plug
    saw the end cannot be extended); None: whoever caused it did not say, so all of them.
    ``urgent``: quiet hours do not hold it back, whatever its row says; ``silent``: it is shown without a
    sound. Both are for staff to say, of an announcement.
    """

    id: NoticeId
    kind: NoticeKind
    room: RoomKey
    machine: Slug | None = None
    params: NoticeParams
    caused_at: Moment
    useful_until: Moment
    actions: tuple[ActionId, ...] | None = None
    urgent: bool = False
    silent: bool = False

    @model_validator(mode="after")
    def _staff_alone_insists(self) -> Self:
        if (self.urgent or self.silent) and self.kind is not NoticeKind.ANNOUNCEMENT:
            raise ValueError("only an announcement can be urgent or silent")
        return self

    @property
    def offered(self) -> tuple[ActionId, ...]:
        """The buttons to show, the most probably meant first."""
        of_row = NOTICES[self.kind].actions
        if self.actions is None:
            return of_row
        return tuple(one for one in of_row if one in self.actions)


class Notice(NoticeCard):
    """A notice as it travels from the edge to the relay, with the resident it is for."""

    resident: ResidentId

    def card(self) -> NoticeCard:
        """Return the notice without its resident."""
        return NoticeCard.model_validate(self.model_dump(exclude={"resident"}))


def notice_id(
    room: RoomKey, position: Position, kind: NoticeKind, resident: ResidentId
) -> NoticeId:
    """Name a notice from its cause: the same everywhere, and a push ``Topic`` as it stands.

    The first 32 hex characters of SHA-256 over room, epoch, offset, kind and resident, joined by
    newlines, which stand in none of them. 32 characters, because Apple refuses other lengths.
    """
    cause = "\n".join((room, position.epoch, str(position.offset), kind, resident))
    return hashlib.sha256(cause.encode()).hexdigest()[:32]


def derive(
    kind: NoticeKind,
    *,
    room: RoomKey,
    position: Position,
    machine: Slug | None,
    resident: ResidentId,
    params: NoticeParams,
    at: Moment,
    useful_until: Moment | None = None,
    actions: tuple[ActionId, ...] | None = None,
) -> Notice:
    """Make the notice that the change at ``position`` causes for ``resident``.

    ``useful_until``: the cause has an end of its own, as a hold or an announcement has; None: the row's.
    ``actions``: those of the row's buttons that can be meant now; None: all of them.

    Raises:
        ValueError: ``params`` are not those that the row's texts use, or the row is about a machine and
            none is named.

    """
    row = NOTICES[kind]
    if set(params) != set(row.params):
        raise ValueError(f"{kind}: parameters {sorted(params)} given, the texts use {row.params}")
    if machine is None and row.of_machine:
        raise ValueError(f"{kind}: name the machine that it is about")
    return Notice(
        id=notice_id(room, position, kind, resident),
        kind=kind,
        room=room,
        machine=machine,
        resident=resident,
        params=params,
        caused_at=at,
        useful_until=at + row.useful_for if useful_until is None else useful_until,
        actions=actions,
    )
