"""``docs/notices.md`` and ``docs/notices.ko.md``, made from the table, for residents and staff.

``python -m laundryd.wire.notices.page`` writes both; a test fails when one is not current.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from laundryd.wire.notices.actions import ACTIONS
from laundryd.wire.notices.table import PARTS
from laundryd.wire.notices.words import ActionId, Channel, Lang, NoticeKind, NoticeRow, Who

DOCS: Final = Path(__file__).parents[3] / "docs"
COMMAND: Final = "python -m laundryd.wire.notices.page"
MADE: Final = (
    f"<!-- Made by `{COMMAND}` from the table in laundryd/wire/notices; a test keeps it so. -->"
)

_WHO: Final[Mapping[Who, str]] = {
    Who.OWNER: "the resident whose laundry is in the machine",
    Who.HOLDER: "the resident for whom the machine was held",
    Who.OWNER_OR_HOLDER: "the resident who used or held the machine",
    Who.ASKERS: "everybody who asked since the owner's last answer",
    Who.FIRST_IN_LINE: "the resident who waits longest and was not told yet",
    Who.ADDRESSED: "the residents whom staff addressed",
    Who.SUBSCRIBER: "the resident whose device it is, on each of their devices",
    Who.TESTER: "who asked for it, on each of their devices",
}

_EN_HEAD: Final = """\
# What residents are told

{made}

Each line is told once, to those concerned and nobody else: on the page if you look at it, else by a
notification if the bell is on. What is useless by now, or settled already, is not told any more. You
choose for each line: *app and notification*, *app only*, or, where it may be off, *nothing*. In your
quiet hours what is marked *waits* makes no sound; it comes when they end, if it still matters then. An
open page shows everything at any hour.

`{{name}}` stands for the machine's name.
"""

_KO_HEAD: Final = """\
# 알림 안내

{made}

알림은 해당하는 분에게만 한 번 갑니다. 페이지를 보고 있으면 페이지에서, 아니면 종을 켠 기기에
푸시로 알려 드립니다. 쓸모가 없어진 알림이나 이미 해결된 알림은 보내지 않습니다. 알림마다 *앱과 푸시*,
*앱에서만*, *끄기* 가운데 고를 수 있습니다 (끌 수 있는 알림만). 방해 금지 시간에는 *기다림* 알림이
울리지 않고, 그 시간이 끝났을 때 아직 필요하면 알려 드립니다. 열려 있는 페이지에는 언제나 보입니다.

`{{name}}`은 기기 이름입니다.
"""

_KO_COLUMNS: Final = ("언제", "제목과 내용", "버튼", "방법", "방해 금지 시간", "끌 수 있나요")
_EN_COLUMNS: Final = ("when", "what you read", "buttons", "how", "in quiet hours", "may be off")


def english_page() -> str:
    """Return the English page as Markdown: for residents, then why, for staff and the curious."""
    lines = [_EN_HEAD.format(made=MADE)]
    for title, rows in PARTS:
        lines += [f"## {title[Lang.EN]}", "", *_table(_EN_COLUMNS, map(_english, rows.values()))]
    lines += ["## Why so", ""]
    for _, rows in PARTS:
        for kind, row in rows.items():
            lines += _reasons(kind, row)
    return "\n".join(lines)


def korean_page() -> str:
    """Return the Korean page as Markdown: for residents."""
    lines = [_KO_HEAD.format(made=MADE)]
    for title, rows in PARTS:
        lines += [f"## {title[Lang.KO]}", "", *_table(_KO_COLUMNS, map(_korean, rows.values()))]
    return "\n".join(lines).rstrip("\n") + "\n"


def pages() -> dict[Path, str]:
    """Return the text of each page by its path."""
    return {DOCS / "notices.md": english_page(), DOCS / "notices.ko.md": korean_page()}


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _english(row: NoticeRow) -> tuple[str, ...]:
    return (
        row.when[Lang.EN],
        _words(row, Lang.EN),
        _buttons(row.actions, Lang.EN),
        "app" if row.channel is Channel.APP else "app, notification",
        _quiet(row, "waits", "comes"),
        "yes" if row.may_turn_off else "no",
    )


def _korean(row: NoticeRow) -> tuple[str, ...]:
    return (
        row.when[Lang.KO],
        _words(row, Lang.KO),
        _buttons(row.actions, Lang.KO),
        "앱" if row.channel is Channel.APP else "앱, 푸시",
        _quiet(row, "기다림", "바로 옴"),
        "예" if row.may_turn_off else "아니요",
    )


def _quiet(row: NoticeRow, waits: str, comes: str) -> str:
    if row.channel is Channel.APP:
        return "—"
    return waits if row.held_in_quiet_hours else comes


def _words(row: NoticeRow, lang: Lang) -> str:
    text = row.texts[lang]
    return f"**{text.title}** {text.body}"


def _buttons(actions: tuple[ActionId, ...], lang: Lang) -> str:
    return ", ".join(ACTIONS[action].label[lang] for action in actions)


def _reasons(kind: NoticeKind, row: NoticeRow) -> Iterator[str]:
    held = "In quiet hours it waits" if row.held_in_quiet_hours else "In quiet hours it comes"
    if row.channel is Channel.APP:
        held = "App only"
    off = "It may be off" if row.may_turn_off else "It may not be off"
    yield f"**{row.when[Lang.EN]}** (`{kind}`)"
    yield ""
    yield f"- {row.cause}"
    yield f"- Told: {_WHO[row.who]}. Useful for {_length(row.useful_for)}."
    yield f"- {held}: {row.quiet_because}"
    yield f"- {off}: {row.off_because}"
    if row.moot_after:
        causes = ", ".join(f"`{cause}`" for cause in row.moot_after)
        yield f"- Not told any more after {causes}."
    yield ""


def _length(lasts: timedelta) -> str:
    minutes = lasts // timedelta(minutes=1)
    if minutes % 60:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
