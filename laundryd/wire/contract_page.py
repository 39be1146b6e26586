"""``docs/contract.md``, made from the tables of the wire: topics, notices, errors, close codes, moves.

``python -m laundryd.wire.contract_page`` writes it; a test fails when it is not current.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from laundryd.wire.announcements import ANNOUNCEMENT_STATES, AnnouncementState
from laundryd.wire.close_codes import CLOSE_CODES
from laundryd.wire.commands import COMMAND_PHASES
from laundryd.wire.delivery import STATES, WHYS, DeliveryState, Why
from laundryd.wire.errors import ERRORS
from laundryd.wire.notices import ACTIONS, NOTICES, Lang
from laundryd.wire.phases import MOVES, URGENT, Cause
from laundryd.wire.subscriptions import TRIES, PushTry
from laundryd.wire.topics import PREFIX, QOS, TOPICS

PAGE: Final = Path(__file__).parents[2] / "docs" / "contract.md"
COMMAND: Final = "python -m laundryd.wire.contract_page"


def contract_page() -> str:
    """Return the page as Markdown."""
    return "\n".join(
        [
            "# The contract",
            "",
            f"<!-- Made by `{COMMAND}` from the tables in laundryd/wire; a test keeps it current. -->",
            "",
            "Frames, bodies and payloads are in `pwa/src/wire/schema.json`, made from the same models.",
            "The notices' texts and the reasons behind them are on [their own page](notices.md).",
            "",
            *_section(
                "Phases: what may happen when", ("cause", "in phase", "then", "event"), _moves()
            ),
            *_section("Commands", ("command", "may be accepted in"), _commands()),
            *_section(
                "Notices",
                (
                    "kind",
                    "cause",
                    "by",
                    "told",
                    "useful for",
                    "urgency",
                    "channel",
                    "quiet hours",
                    "off",
                    "buttons",
                    "moot after",
                ),
                _notices(),
            ),
            *_section("What becomes of a notice", ("state", "what it means"), _said(STATES)),
            *_section("Why", ("why", "what it means"), _said(WHYS)),
            *_section(
                "What came of a push to a device", ("outcome", "what it means"), _said(TRIES)
            ),
            *_section("Announcements", ("state", "what it means"), _said(ANNOUNCEMENT_STATES)),
            *_section("Buttons of notices", ("action", "command", "English", "한국어"), _actions()),
            *_section(
                f"MQTT topics below `{PREFIX}/{{site}}/{{room}}/`, all QoS {QOS}",
                ("topic", "from → to", "broker", "retained", "payload", "what"),
                _topics(),
            ),
            *_section("Error codes", ("code", "HTTP", "title", "what to do"), _errors()),
            *_section("WebSocket close codes", ("code", "come back", "meaning"), _closes()),
        ]
    )


def _section(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def _said(
    meanings: Mapping[DeliveryState, str]
    | Mapping[Why, str]
    | Mapping[PushTry, str]
    | Mapping[AnnouncementState, str],
) -> Iterator[tuple[str, ...]]:
    for name, meaning in meanings.items():
        yield f"`{name}`", meaning


def _moves() -> Iterator[tuple[str, ...]]:
    for cause, (sources, target) in MOVES.items():
        yield f"`{cause}`", ", ".join(sorted(sources)), target or "(stays)", _batched(cause)


def _batched(cause: Cause) -> str:
    return "at once" if cause in URGENT else "at once, or with those of 100 ms"


def _commands() -> Iterator[tuple[str, ...]]:
    for command, phases in COMMAND_PHASES.items():
        yield f"`{command}`", ", ".join(sorted(phases))


def _notices() -> Iterator[tuple[str, ...]]:
    for kind, row in NOTICES.items():
        yield (
            f"`{kind}`",
            row.cause,
            row.origin,
            row.who,
            f"{int(row.useful_for.total_seconds() // 60)} min",
            row.urgency,
            row.channel,
            "held" if row.held_in_quiet_hours else "told",
            "yes" if row.may_turn_off else "no",
            _codes(row.actions),
            _codes(row.moot_after),
        )


def _actions() -> Iterator[tuple[str, ...]]:
    for action, row in ACTIONS.items():
        params = row.params.model_dump(exclude_none=True)
        said = "".join(f", `{name}: {value}`" for name, value in params.items())
        yield f"`{action}`", f"`{row.command}`{said}", row.label[Lang.EN], row.label[Lang.KO]


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _topics() -> Iterator[tuple[str, ...]]:
    for topic, row in TOPICS.items():
        yield (
            f"`{topic}`",
            f"{row.publisher} → {row.reader}",
            row.brokers,
            "yes" if row.retained else "no",
            f"`{row.payload.__name__}`" if row.payload else "text",
            row.says,
        )


def _errors() -> Iterator[tuple[str, ...]]:
    for code, row in ERRORS.items():
        yield f"`{code}`", str(row.status), row.title, row.remedy


def _closes() -> Iterator[tuple[str, ...]]:
    for code, row in CLOSE_CODES.items():
        yield f"{int(code)} `{code.name.lower()}`", "yes" if row.reconnect else "no", row.meaning


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(contract_page(), encoding="utf-8")
