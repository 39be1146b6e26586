"""Every code, cause and command has its row, and the rows agree with one another."""

from __future__ import annotations

import pytest

from laundryd.wire.close_codes import CLOSE_CODES, CloseCode, may_reconnect
from laundryd.wire.commands import COMMAND_PHASES, CommandName
from laundryd.wire.delivery import STATES, WHYS, DeliveryState, Why
from laundryd.wire.errors import ERRORS, ErrorCode
from laundryd.wire.phases import MOVES, Cause, Phase, is_legal


def test_every_error_has_a_status_a_title_and_a_remedy() -> None:
    assert set(ERRORS) == set(ErrorCode)
    for code, row in ERRORS.items():
        assert 400 <= row.status < 600, code
        assert row.title, code
        assert not row.title.endswith("."), code
        assert row.remedy.endswith("."), code


def test_every_close_code_has_its_row_and_says_whether_to_come_back() -> None:
    assert set(CLOSE_CODES) == set(CloseCode)
    for code, row in CLOSE_CODES.items():
        assert may_reconnect(code) is row.reconnect
        assert row.meaning.endswith(".")
        # The rule that an app without the table follows.
        if code >= 4_000:
            assert row.reconnect is (code < 4_500), code


@pytest.mark.parametrize(
    ("code", "comes_back"),
    [
        (1000, False),
        (1002, False),
        (1006, True),
        (1012, True),
        (3000, True),
        (4499, True),
        (4999, False),
    ],
)
def test_codes_of_others_follow_the_rule(code: int, *, comes_back: bool) -> None:
    assert may_reconnect(code) is comes_back


def test_every_cause_has_its_moves() -> None:
    assert set(MOVES) == set(Cause)
    for cause, (sources, target) in MOVES.items():
        assert sources, cause
        for before in Phase:
            for after in Phase:
                legal = before in sources and after is (before if target is None else target)
                assert is_legal(cause, before, after) is legal


def test_every_phase_can_be_reached_and_left() -> None:
    steps = {
        (before, before if target is None else target)
        for sources, target in MOVES.values()
        for before in sources
    }
    reached = {Phase.FREE}
    for _ in Phase:
        reached |= {after for before, after in steps if before in reached}
    assert reached == set(Phase)
    free = {Phase.FREE}
    for _ in Phase:
        free |= {before for before, after in steps if after in free}
    assert free == set(Phase), "no phase is a trap"


def test_a_command_is_offered_where_its_move_is_legal() -> None:
    causes = {
        CommandName.CLAIM: Cause.CLAIMED,
        CommandName.ARRIVE: Cause.ARRIVED,
        CommandName.START: Cause.STARTED,
        CommandName.ADOPT: Cause.ADOPTED,
        CommandName.RELEASE: Cause.RELEASED,
        CommandName.COLLECT: Cause.COLLECTED,
        CommandName.REQUEST_PICKUP: Cause.PICKUP_REQUESTED,
        CommandName.COMING: Cause.OWNER_COMING,
        CommandName.REPORT_FAULT: Cause.FAULT_REPORTED,
    }
    about_the_resident = {
        CommandName.MUTE_PICKUP,
        CommandName.UNMUTE_PICKUP,
        CommandName.WATCH,
        CommandName.UNWATCH,
    }
    extended = {Cause.EXTENDED, Cause.RESUMED}
    assert set(COMMAND_PHASES) == set(CommandName)
    assert set(CommandName) == {*causes, *about_the_resident, CommandName.EXTEND}
    for command, cause in causes.items():
        assert COMMAND_PHASES[command] == MOVES[cause][0], command
    for command in about_the_resident:
        assert COMMAND_PHASES[command] == set(Phase), command
    extendable = frozenset[Phase]().union(*(MOVES[cause][0] for cause in extended))
    assert COMMAND_PHASES[CommandName.EXTEND] == extendable


def test_every_close_codes_meaning_fits_into_a_close_frame() -> None:
    for code, row in CLOSE_CODES.items():
        assert len(row.meaning.encode()) <= 123, code


def test_every_fate_of_a_notice_and_every_reason_is_explained() -> None:
    assert set(STATES) == set(DeliveryState)
    assert set(WHYS) == set(Why)
    assert all(meaning.endswith(".") for meaning in (*STATES.values(), *WHYS.values()))
