"""Asking the owner of a finished machine to collect, without a name; and the owner's answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from edge.room.decision import Accepted, Decision, change, draft, told
from edge.room.records import REPORTS_MAX
from edge.room.said import Said
from laundryd.wire.errors import ErrorCode
from laundryd.wire.notices import NoticeKind
from laundryd.wire.phases import Cause

PICKUP_PAUSE: Final = timedelta(minutes=5)
"""How long an owner is left alone after a request, whoever asks and whichever of their machines it is."""


def request_pickup(said: Said) -> Decision:
    """Ask the owner to collect. They hear that somebody asks, never who."""
    record, waits = said.record, said.state.waits
    if record.owner is None:
        return said.refused(ErrorCode.ILLEGAL_MOVE, "it is nobody's, so there is nobody to ask")
    if record.owner == said.resident:
        return said.refused(ErrorCode.ILLEGAL_MOVE, "it is yours, so collect it")
    if record.owner in waits.muted:
        return said.refused(ErrorCode.PICKUP_MUTED, "its owner takes no requests")
    asked_at = waits.asked.get(record.owner)
    refusal = asked_at and said.too_soon(asked_at, PICKUP_PAUSE, "its owner was asked just now")
    if refusal:
        return refusal
    others = (asker for asker in record.pickup_askers if asker != said.resident)
    askers = (*others, said.resident)[-REPORTS_MAX:]
    after = replace(record, pickup_requested_at=said.now, pickup_askers=askers)
    asked = {who: at for who, at in waits.asked.items() if at + PICKUP_PAUSE > said.now}
    asked[record.owner] = said.now
    notices = told(record, NoticeKind.PICKUP_REQUESTED)
    return Accepted(
        (change(record, Cause.PICKUP_REQUESTED, after, *notices),),
        waits=replace(waits, asked=asked),
    )


def coming(said: Said) -> Decision:
    """Tell those who asked that the owner is on the way."""
    record = said.record
    if not record.pickup_askers:
        if record.owner_coming_at is not None:
            return Accepted()  # said before, and nobody asked since: all of them know
        return said.refused(ErrorCode.NOBODY_ASKED, "nobody asked you to collect it")
    after = replace(record, owner_coming_at=said.now, pickup_askers=())
    notices = [draft(record, NoticeKind.OWNER_COMING, asker) for asker in record.pickup_askers]
    return Accepted((change(record, Cause.OWNER_COMING, after, *notices),))


def mute(said: Said) -> Decision:
    """Take no more requests to collect in this room."""
    waits = said.state.waits
    return Accepted(waits=replace(waits, muted=waits.muted | {said.resident}))


def unmute(said: Said) -> Decision:
    """Take requests to collect again."""
    waits = said.state.waits
    return Accepted(waits=replace(waits, muted=waits.muted - {said.resident}))
