"""Every notice has its whole row, fits a phone, and is the same wherever it is derived and shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laundryd.wire.commands import COMMAND_PHASES, CommandName
from laundryd.wire.ids import Position
from laundryd.wire.notices import (
    ACTIONS,
    BODY_MAX,
    MOOT_BY,
    NOTICES,
    TITLE_MAX,
    Action,
    ActionId,
    Channel,
    Lang,
    Notice,
    NoticeCard,
    NoticeKind,
    NoticeParams,
    NoticeRow,
    Origin,
    Who,
    derive,
    notice_id,
    page,
    render,
)
from laundryd.wire.notices.render import PARAM
from laundryd.wire.phases import MOVES, Cause

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEAD = Position(epoch="e1", offset=7)
KINDS = st.sampled_from(NoticeKind)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
LONG_NAME = "Washer-dryer by the north wall"
LABEL_MAX = 20
"""What Chrome on Android shows of a button beside another one."""
PUSH_BUTTONS_MAX = 2
"""``Notification.maxActions`` of Chrome and Firefox."""
EACH_ROW = pytest.mark.parametrize(("kind", "row"), NOTICES.items())

OLD_NOTICE = {
    "id": "551ecd05fe981abcc80de8c130a25e90",
    "kind": "done",
    "room": "maple-hall.basement",
    "machine": "w1",
    "params": {"name": "Washer 1"},
    "caused_at": "2026-11-23T12:00:00.000Z",
    "useful_until": "2026-11-24T00:00:00.000Z",
    "resident": "anna",
}
"""A line of a journal as the first version wrote it."""


def filled(kind: NoticeKind, name: str = "Washer 1") -> NoticeParams:
    """Return parameters for ``kind`` as long as they get."""
    longest: NoticeParams = {"name": name, "minutes": 720, "days": 7}
    for lang in Lang:
        longest |= {f"title_{lang}": "t" * TITLE_MAX, f"body_{lang}": "b" * BODY_MAX}
    return {one: longest[one] for one in NOTICES[kind].params}


def made(
    kind: NoticeKind, params: NoticeParams, actions: tuple[ActionId, ...] | None = None
) -> Notice:
    return derive(
        kind,
        room="maple-hall.basement",
        position=HEAD,
        machine="w1",
        resident="anna",
        params=params,
        at=AT,
        actions=actions,
    )


def test_every_kind_has_its_row() -> None:
    assert set(NOTICES) == set(NoticeKind)
    assert set(ACTIONS) == set(ActionId)


@EACH_ROW
def test_a_row_is_documented(kind: NoticeKind, row: NoticeRow) -> None:
    for sentence in (row.cause, row.quiet_because, row.off_because):
        assert sentence.endswith("."), kind
        assert sentence[0].isupper(), kind
    assert set(row.when) == set(Lang)
    assert all(row.when.values())
    assert row.useful_for.total_seconds() > 0


@EACH_ROW
def test_the_texts_of_both_languages_use_exactly_the_rows_parameters(
    kind: NoticeKind, row: NoticeRow
) -> None:
    """Of an announcement each language uses its own words."""
    assert set(row.texts) == set(Lang)
    for lang, text in row.texts.items():
        of_others = tuple(f"_{other}" for other in Lang if other is not lang)
        used = PARAM.findall(text.title + text.body)
        assert sorted(used) == sorted(p for p in row.params if not p.endswith(of_others)), kind
        assert "{" not in PARAM.sub("", text.title + text.body)


@EACH_ROW
@pytest.mark.parametrize("lang", list(Lang))
def test_the_texts_fit_a_phone(kind: NoticeKind, row: NoticeRow, lang: Lang) -> None:
    assert len(LONG_NAME) == 30
    text = render(made(kind, filled(kind, LONG_NAME)), lang)
    assert 0 < len(text.title) <= TITLE_MAX
    assert 0 < len(text.body) <= BODY_MAX
    assert len(row.when[lang]) <= 60


@EACH_ROW
def test_a_rows_buttons_are_few_and_can_be_meant(kind: NoticeKind, row: NoticeRow) -> None:
    assert len(row.actions) == len(set(row.actions)) <= PUSH_BUTTONS_MAX, kind
    assert row.channel is Channel.APP_AND_PUSH or not row.actions
    assert row.of_machine or not row.actions, "a button needs a machine"
    assert row.origin is Origin.EDGE or not row.actions, (
        "the room cannot be reached, or is not meant"
    )


@EACH_ROW
def test_what_makes_a_notice_moot_can_happen(kind: NoticeKind, row: NoticeRow) -> None:
    assert len(row.moot_after) == len(set(row.moot_after)), kind
    if kind is NoticeKind.DONE:
        # Held over night it must not be told of laundry that was collected before breakfast.
        assert {Cause.COLLECTED, Cause.RESUMED} <= set(row.moot_after)
    assert row.origin is Origin.EDGE or not row.moot_after


def test_who_has_just_said_something_is_up_and_quiet_hours_hold_nothing_back_from_them() -> None:
    told_at_night = {kind for kind, row in NOTICES.items() if not row.held_in_quiet_hours}
    assert told_at_night == {
        NoticeKind.NOT_STARTED,
        NoticeKind.HOLD_ENDING,
        NoticeKind.HOLD_ENDED,
        NoticeKind.STARTED_BY_OTHER,
        NoticeKind.OWNER_COMING,
        NoticeKind.TEST,
    }
    assert NOTICES[NoticeKind.STARTED].channel is Channel.APP


def test_what_takes_back_a_promise_cannot_be_turned_off() -> None:
    always = {kind for kind, row in NOTICES.items() if not row.may_turn_off}
    assert always == {
        NoticeKind.RESUMED,
        NoticeKind.COLLECTED_FOR_YOU,
        NoticeKind.NOT_STARTED,
        NoticeKind.EDGE_GONE,
        NoticeKind.STARTED_BY_OTHER,
        NoticeKind.MACHINE_FREE,
        NoticeKind.OUT_OF_ORDER,
        NoticeKind.ANNOUNCEMENT,
        NoticeKind.BELL_ENDING,
        NoticeKind.TEST,
    }


@pytest.mark.parametrize(("action", "row"), ACTIONS.items())
def test_a_button_is_named_as_its_command_and_says_what_it_does(
    action: ActionId, row: Action
) -> None:
    assert CommandName(action.value) is row.command
    assert set(row.label) == set(Lang)
    assert all(0 < len(label) <= LABEL_MAX for label in row.label.values())
    assert COMMAND_PHASES[row.command]
    assert (row.params.minutes is not None) == (row.command is CommandName.EXTEND)


@given(KINDS, st.sampled_from(Lang))
def test_a_notice_is_rendered_whole_in_both_languages(kind: NoticeKind, lang: Lang) -> None:
    notice = made(kind, filled(kind))
    text = render(notice.card(), lang)
    assert "{" not in text.title + text.body
    assert notice.useful_until - notice.caused_at == NOTICES[kind].useful_for
    assert "anna" not in notice.card().model_dump_json()


@pytest.mark.parametrize("order", [("minutes", "name"), ("name", "minutes")])
def test_a_name_with_braces_stays_as_it_is(order: tuple[str, str]) -> None:
    values: NoticeParams = {"minutes": 5, "name": "{minutes}"}
    notice = made(NoticeKind.ENDING_SOON, {name: values[name] for name in order})
    assert render(notice.card(), Lang.EN).body == "{minutes} will be done in about 5 min."


def test_parameters_that_the_texts_do_not_use_are_refused() -> None:
    wrong: list[NoticeParams] = [{}, {"name": "x", "more": "y"}]
    for params in wrong:
        with pytest.raises(ValueError, match="the texts use"):
            made(NoticeKind.DONE, params)


def test_only_what_is_announced_or_about_a_bell_may_be_about_no_machine() -> None:
    for kind, row in NOTICES.items():
        assert row.of_machine == (row.who not in {Who.ADDRESSED, Who.SUBSCRIBER, Who.TESTER})
        if row.of_machine:
            with pytest.raises(ValueError, match="name the machine"):
                derive(
                    kind,
                    room="a.b",
                    position=HEAD,
                    machine=None,
                    resident="anna",
                    params=filled(kind),
                    at=AT,
                )
    said = derive(
        NoticeKind.ANNOUNCEMENT,
        room="a.b",
        position=HEAD,
        machine=None,
        resident="anna",
        params={
            "title_en": "Water",
            "body_en": "Off from 9 to 12.",
            "title_ko": "단수",
            "body_ko": "9시부터 12시까지 물이 나오지 않아요.",
        },
        at=AT,
    )
    card = NoticeCard.model_validate_json(said.card().model_dump_json())
    assert card.machine is None
    assert render(card, Lang.KO).title == "단수"
    assert render(card, Lang.EN).title == "Water"


def test_a_line_of_an_older_journal_is_read_and_offers_all_buttons_of_its_row() -> None:
    notice = Notice.model_validate_json(json.dumps(OLD_NOTICE))
    assert notice.card().offered == NOTICES[NoticeKind.DONE].actions
    assert made(NoticeKind.DONE, {"name": "Washer 1"}) == notice


def test_buttons_come_in_the_rows_order_and_are_the_rows_own() -> None:
    turned = made(NoticeKind.DONE, {"name": "x"}, (ActionId.EXTEND, ActionId.COLLECT))
    assert turned.card().offered == (ActionId.COLLECT, ActionId.EXTEND)
    alone = made(NoticeKind.DONE, {"name": "x"}, (ActionId.COLLECT, ActionId.CLAIM))
    assert alone.card().offered == (ActionId.COLLECT,)
    assert made(NoticeKind.DONE, {"name": "x"}, ()).card().offered == ()


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


@pytest.mark.parametrize(("path", "text"), page.pages().items())
def test_the_pages_of_documentation_are_current(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, f"run {page.COMMAND}"


def test_every_row_stands_on_both_pages() -> None:
    for row in NOTICES.values():
        assert row.when[Lang.KO] in page.korean_page()
        for sentence in (row.when[Lang.EN], row.cause, row.quiet_because, row.off_because):
            assert sentence in page.english_page()


def test_what_a_change_makes_moot_is_what_the_rows_say() -> None:
    for cause in MOVES:
        moot = {kind for kind, row in NOTICES.items() if cause in row.moot_after}
        assert set(MOOT_BY.get(cause, ())) == moot
