"""One load or two? What is made of work that follows a rest."""

from __future__ import annotations

from enum import Enum
from typing import Final

from edge.detect.course import COMPLETE, DOUBTFUL, INCOMPLETE, UNSURE, Course, Seam
from edge.detect.insight import Insight
from edge.detect.rules import DRY_AT_ONCE_S, RESUME_S, STEADY_TURN_S
from laundryd.wire.machines import MachineKind

PARTING_REST_S: Final = 180.0
"""No load is taken out and another put in within a shorter rest, seconds; water may run in that long."""
THINKING_S: Final = 230.0
"""Between its wash and its drying a washer-dryer rests no longer, seconds."""
PARTING_WORK_S: Final = 360.0
"""So long must something look like a beginning, seconds, before a load is parted from another by that."""
UNTOLD_S: Final = 720.0
"""So long is it left open, seconds, whether a wash that looked over goes on: a new one heats by then."""
COLD_REST_S: Final = 480.0
"""After a longer rest, seconds, what follows a cold wash that had spun is another."""


class Answer(Enum):
    """What follows the rest: of the same load, of a new one, or that cannot be said yet."""

    SAME = "same"
    NEW = "new"
    OPEN = "open"


def seam_after_rest(course: Course, insight: Insight, at_s: float, least_rest_s: float) -> None:
    """Note the rest that ends at ``at_s`` in a running course if another load may begin there."""
    calm_s = course.calm_until()
    is_drying = insight.heating.is_drying
    ended_s = course.worked_s if is_drying else calm_s
    rest_s, seam = at_s - ended_s, course.seam
    if rest_s < least_rest_s:
        return
    if seam is not None and seam.resumed_s is not None:
        if ended_s == seam.ended_s:
            # Only a door's light in between: one rest.
            seam.resumed_s = at_s
            return
        if rest_s < seam.resumed_s - seam.ended_s:
            return
    verdict = insight.verdict(course, ended_s)
    if verdict != INCOMPLETE:
        course.seam = Seam(ended_s, verdict, is_told=False, resumed_s=at_s, dried=is_drying)


def after_told_end(
    course: Course,
    seam: Seam,
    insight: Insight,
    *,
    resumed_s: float,
    at_s: float,
    kind: MachineKind,
    heats: bool,
) -> Answer:
    """Judge work since ``resumed_s`` after an end that was told. ``heats``: it heats at this moment."""
    may_dry = kind is MachineKind.WASHER_DRYER and not seam.dried
    if may_dry and insight.heats_at_once(course, resumed_s):
        return Answer.SAME
    worked_s = at_s - resumed_s
    if seam.verdict == COMPLETE:
        return Answer.OPEN if may_dry and worked_s < DRY_AT_ONCE_S else Answer.NEW
    if seam.verdict != UNSURE:
        return Answer.SAME
    if insight.heated_since(course, resumed_s):
        return Answer.NEW
    if insight.heating.last is None and resumed_s - seam.ended_s >= COLD_REST_S:
        # Neither heats, so that tells nothing; a pause so long after a wash's spin is hardly one.
        return Answer.OPEN if worked_s < UNTOLD_S else Answer.NEW
    open_s = UNTOLD_S
    if seam.dried:
        # A dryer heats within a minute; what turns without it is the cool-down that was stopped.
        open_s = 2 * STEADY_TURN_S if heats else 0.0
    return Answer.OPEN if worked_s < open_s else Answer.SAME


def within_course(
    course: Course,
    seam: Seam,
    insight: Insight,
    *,
    resumed_s: float,
    at_s: float,
    kind: MachineKind,
    slow_s: float,
) -> Answer:
    """Judge work since ``resumed_s`` after a rest that was too short to be told an end.

    ``slow_s``: for how long the plug's reports may catch a turning drum at rest.
    """
    rest_s = resumed_s - seam.ended_s - slow_s
    if at_s - resumed_s > RESUME_S:
        return Answer.SAME
    if rest_s < PARTING_REST_S:
        return Answer.OPEN
    is_complete = seam.verdict == COMPLETE
    may_dry = kind is MachineKind.WASHER_DRYER and not seam.dried
    if may_dry and insight.heats_at_once(course, resumed_s):
        return Answer.SAME
    # Its drying heats as another wash would: after a short rest only a whole beginning counts.
    # Nor does it after a rest from which past cycles went on.
    may_part = not may_dry or (rest_s >= THINKING_S and seam.verdict != DOUBTFUL)
    if may_part and insight.heated_since(course, resumed_s):
        return Answer.NEW
    is_long = at_s - resumed_s >= PARTING_WORK_S
    if is_complete and not seam.dried and is_long and insight.begins_anew(course, resumed_s):
        return Answer.NEW
    return Answer.OPEN
