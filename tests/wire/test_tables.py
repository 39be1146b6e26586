"""Every code, cause, command and notice has its row, and the rows agree with one another."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laundryd.wire.close_codes import CLOSE_CODES, CloseCode, may_reconnect
from laundryd.wire.commands import COMMAND_PHASES, CommandName
from laundryd.wire.errors import ERRORS, ErrorCode
from laundryd.wire.ids import Position
from laundryd.wire.notices import (
    NOTICES,
    Lang,
    NoticeKind,
    NoticeParams,
    derive,
    notice_id,
    render,
)
from laundryd.wire.phases import MOVES, Cause, Phase, is_legal

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEAD = Position(epoch="e1", offset=7)
KINDS = st.sampled_from(NoticeKind)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


def params_of(kind: NoticeKind) -> NoticeParams:
    return {name: 5 if name == "minutes" else "Washer 1" for name in NOTICES[kind].params}


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


def test_every_notice_has_its_row_and_its_texts() -> None:
    assert set(NOTICES) == set(NoticeKind)
    for kind, row in NOTICES.items():
        assert set(row.texts) == set(Lang), kind
        assert row.cause.endswith("."), kind
        assert row.useful_for.total_seconds() > 0, kind
        for text in row.texts.values():
            for name in row.params:
                assert "{" + name + "}" in text.title + text.body, (kind, name)


@given(KINDS, st.sampled_from(Lang))
def test_a_notice_is_rendered_whole_in_both_languages(kind: NoticeKind, lang: Lang) -> None:
    notice = derive(
        kind,
        room="maple-hall.basement",
        position=HEAD,
        machine="w1",
        resident="anna",
        params=params_of(kind),
        at=AT,
    )
    text = render(notice.card(), lang)
    assert "{" not in text.title + text.body
    assert "Washer 1" in text.body
    assert notice.useful_until - notice.caused_at == NOTICES[kind].useful_for
    assert "anna" not in notice.card().model_dump_json()


@pytest.mark.parametrize("order", [("minutes", "name"), ("name", "minutes")])
def test_a_name_with_braces_stays_as_it_is(order: tuple[str, str]) -> None:
    values: NoticeParams = {"minutes": 5, "name": "{minutes}"}
    notice = derive(
        NoticeKind.ENDING_SOON,
        room="a.b",
        position=HEAD,
        machine="w1",
        resident="anna",
        params={name: values[name] for name in order},
        at=AT,
    )
    assert render(notice.card(), Lang.EN).body == "{minutes} will be done in about 5 min."


def test_parameters_that_the_texts_do_not_use_are_refused() -> None:
    wrong: list[NoticeParams] = [{}, {"name": "x", "more": "y"}]
    for params in wrong:
        with pytest.raises(ValueError, match="the texts use"):
            derive(
                NoticeKind.DONE,
                room="a.b",
                position=HEAD,
                machine="w1",
                resident="anna",
                params=params,
                at=AT,
            )


def test_a_notice_id_is_what_the_architecture_says() -> None:
    # First 32 hex characters of SHA-256 over the five, joined by newlines.
    said = notice_id("maple-hall.basement", HEAD, NoticeKind.DONE, "anna")
    assert said == "551ecd05fe981abcc80de8c130a25e90"


@given(st.lists(st.tuples(IDS, st.integers(0, 50), KINDS), unique=True, max_size=30))
def test_notices_of_different_causes_have_different_ids(
    causes: list[tuple[str, int, NoticeKind]],
) -> None:
    ids = {
        notice_id("a.b", Position(epoch="e", offset=offset), kind, resident)
        for resident, offset, kind in causes
    }
    assert len(ids) == len(causes)
    assert all(len(one) == 32 for one in ids)


def test_every_close_codes_meaning_fits_into_a_close_frame() -> None:
    for code, row in CLOSE_CODES.items():
        assert len(row.meaning.encode()) <= 123, code
