"""A resident says what is wrong with a machine: everybody sees that, the staff alone what."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Final

from edge.room.decision import Accepted, Decision, change
from edge.room.records import REPORTS_MAX, FaultReport
from edge.room.said import Said
from laundryd.wire.commands import FAULT_TEXT_MIN
from laundryd.wire.errors import ErrorCode
from laundryd.wire.phases import Cause

FAULT_PAUSE: Final = timedelta(minutes=10)
"""How long after a report the same resident's next one of the same machine is refused."""


def report_fault(said: Said) -> Decision:
    """Keep the report for the staff; the machine stays what it is until they have looked."""
    record = said.record
    text = clean(said.command.params.text or "")
    if len(text) < FAULT_TEXT_MIN:
        return said.refused(ErrorCode.INVALID_BODY, "say in `text` what is wrong")
    last = next((one.at for one in reversed(record.faults) if one.resident == said.resident), None)
    refusal = last and said.too_soon(last, FAULT_PAUSE, "you reported it just now")
    if refusal:
        return refusal
    reports = (*record.faults, FaultReport(said.resident, said.now, text))[-REPORTS_MAX:]
    return Accepted((change(record, Cause.FAULT_REPORTED, replace(record, faults=reports)),))


def clean(text: str) -> str:
    """Return ``text`` as one line: what controls, formats or breaks a line is a space.

    A dashboard or a terminal that shows it must not be steered by it.
    """
    shown = (" " if unicodedata.category(one)[0] in "CZ" else one for one in text)
    return " ".join("".join(shown).split())
