"""The contract for other languages: one JSON Schema (Draft 2020-12) and the small tables, as JSON.

``python -m laundryd.wire.schema`` writes both below ``pwa/src/wire``; with ``--check`` it only says
whether they are as they should be, and exits 1 if not. Serving programs never import this module.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, JsonValue, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema
from typing_extensions import override

from laundryd.wire import announcements, bodies, frames, staff, subscriptions
from laundryd.wire.close_codes import CLOSE_CODES, may_reconnect
from laundryd.wire.commands import COMMAND_PHASES, MAX_PROGRAMME_MIN, CommandAnswer
from laundryd.wire.delivery import STATES, WHYS
from laundryd.wire.errors import ERRORS
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import ACTIONS, BODY_MAX, NOTICES, PARTS, TITLE_MAX, NoticeRow
from laundryd.wire.phases import Phase
from laundryd.wire.subscriptions import TRIES

APP_WIRE: Final = Path(__file__).resolve().parents[2] / "pwa" / "src" / "wire"
"""Where the app keeps what is made from the contract."""
DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

_FROM_APP: Final[dict[str, tuple[type[BaseModel], ...]]] = {
    "ClientFrame": (
        frames.Identify,
        frames.Ack,
        frames.Read,
        frames.Attention,
        frames.Command,
        frames.Ping,
        frames.Pong,
    )
}
_TO_APP: Final[dict[str, tuple[type[BaseModel], ...]]] = {
    "ServerFrame": (
        frames.Welcome,
        frames.Batch,
        frames.Mine,
        frames.NoticeFrame,
        frames.NoticeGone,
        frames.RoomStatus,
        frames.ShownInRoom,
        frames.Result,
        frames.Ping,
        frames.Pong,
    )
}
_BODIES_FROM_APP: Final[tuple[type[BaseModel], ...]] = (
    bodies.JoinBody,
    bodies.LinkBody,
    bodies.MeBody,
    bodies.CommandBody,
    bodies.SubscriptionBody,
    bodies.FcmBody,
    announcements.AnnouncementBody,
    announcements.StaffSignIn,
)
_BODIES_TO_APP: Final[tuple[type[BaseModel], ...]] = (
    bodies.Joined,
    bodies.LinkCode,
    bodies.Voucher,
    bodies.Me,
    bodies.MyNotices,
    bodies.PushKey,
    subscriptions.MySubscriptions,
    subscriptions.PushTested,
    bodies.Problem,
    CommandAnswer,
    RoomSnapshot,
    announcements.Announcements,
    announcements.StaffMe,
    staff.StaffResidents,
)

_CLOSE_CODE_SPACE: Final = range(1_000, 5_000)
"""Every close code that a WebSocket can end with (RFC 6455 section 7.4.2)."""


class _Schema(GenerateJsonSchema):
    """What is serialised has every field; a frame's ``type`` is always there."""

    @override
    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        return self.mode == "serialization" or super().field_is_required(field, total)


def schema() -> dict[str, JsonValue]:
    """Return the schema: every model in ``$defs``, and the unions ``ClientFrame``, ``ServerFrame``.

    What the app sends is described as it is validated (defaults may be left out), what it gets as it
    is serialised (every field is there).
    """
    wanted: dict[type[BaseModel], Literal["validation", "serialization"]] = {}
    for model in (*_FROM_APP["ClientFrame"], *_BODIES_FROM_APP):
        wanted[model] = "validation"
    for model in (*_TO_APP["ServerFrame"], *_BODIES_TO_APP):
        # Ping and Pong go both ways; with defaults left out they are still whole.
        wanted.setdefault(model, "serialization")
    refs, document = models_json_schema(list(wanted.items()), schema_generator=_Schema)
    plain = TypeAdapter(dict[str, JsonValue]).validate_python(document)
    defs = plain["$defs"]
    if not isinstance(defs, dict):
        raise TypeError(f"pydantic gave $defs as {type(defs).__name__}, expected an object")
    named = {name: _tidied(body) for name, body in sorted(defs.items())}
    for name, models in {**_FROM_APP, **_TO_APP}.items():
        named[name] = {
            "oneOf": [{"$ref": str(refs[model, wanted[model]]["$ref"])} for model in models]
        }
    return {
        "$schema": DRAFT,
        "title": "Wire",
        "description": "Every frame and body between the app and both programs.",
        "type": "object",
        "$defs": named,
    }


def tables() -> dict[str, JsonValue]:
    """Return the tables that the app branches on, as JSON.

    ``reconnect_codes`` are spans ``[first, last]`` of close codes after which a client comes back by
    itself; all others are final. ``useful_for_s`` is in seconds.
    """
    return {
        "phases": [phase.value for phase in Phase],
        "command_phases": {
            name.value: [phase.value for phase in Phase if phase in phases]
            for name, phases in COMMAND_PHASES.items()
        },
        "max_programme_min": MAX_PROGRAMME_MIN,
        "notices": {kind.value: _notice(row) for kind, row in NOTICES.items()},
        "notice_parts": [
            {
                "title": {lang.value: text for lang, text in title.items()},
                "kinds": [kind.value for kind, row in rows.items() if row.is_chosen],
            }
            for title, rows in PARTS
            if any(row.is_chosen for row in rows.values())
        ],
        # Residents read the app's own words; what they mean is for the pages of documentation.
        "delivery_states": [state.value for state in STATES],
        "delivery_whys": [why.value for why in WHYS],
        "push_tries": [outcome.value for outcome in TRIES],
        "notice_actions": {
            action.value: {
                "command": row.command.value,
                "params": row.params.model_dump(mode="json", exclude_none=True),
                "label": {lang.value: label for lang, label in row.label.items()},
            }
            for action, row in ACTIONS.items()
        },
        "notice_title_max": TITLE_MAX,
        "notice_body_max": BODY_MAX,
        "errors": {
            code.value: {"status": row.status, "title": row.title, "remedy": row.remedy}
            for code, row in ERRORS.items()
        },
        "close_codes": {
            str(int(code)): {
                "name": code.name.lower(),
                "reconnect": row.reconnect,
                "meaning": row.meaning,
            }
            for code, row in CLOSE_CODES.items()
        },
        "reconnect_codes": _reconnect_spans(),
    }


def _notice(row: NoticeRow) -> dict[str, JsonValue]:
    """Return what the app needs of a row; the reasons are for the pages of documentation."""
    return {
        "who": row.who.value,
        "when": {lang.value: when for lang, when in row.when.items()},
        "params": list(row.params),
        "urgency": row.urgency.value,
        "useful_for_s": row.useful_for.total_seconds(),
        "channel": row.channel.value,
        "held_in_quiet_hours": row.held_in_quiet_hours,
        "may_turn_off": row.may_turn_off,
        "actions": [action.value for action in row.actions],
        "moot_after": [cause.value for cause in row.moot_after],
        "texts": {
            lang.value: {"title": text.title, "body": text.body} for lang, text in row.texts.items()
        },
    }


def files() -> dict[str, str]:
    """Return the text of each generated file by its name below ``APP_WIRE``."""
    contents = {"schema.json": schema(), "tables.json": tables()}
    return {
        name: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in contents.items()
    }


def stale(folder: Path) -> list[str]:
    """Return the names of the files in ``folder`` that are missing or not as they should be."""
    return [
        name
        for name, text in files().items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str]) -> int:
    """Write the files, or with ``--check`` compare them; return the process's exit status."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("usage: python -m laundryd.wire.schema [--check]\n")
        return 2
    names = stale(APP_WIRE)
    if "--check" in arguments:
        for name in names:
            sys.stderr.write(
                f"{APP_WIRE.name}/{name} is not what the wire says: run "
                "python -m laundryd.wire.schema, then npm run types in pwa/\n"
            )
        return 1 if names else 0
    APP_WIRE.mkdir(parents=True, exist_ok=True)
    for name in names:
        (APP_WIRE / name).write_text(files()[name], encoding="utf-8")
    return 0


def _reconnect_spans() -> list[JsonValue]:
    spans: list[list[int]] = []
    for code in _CLOSE_CODE_SPACE:
        if not may_reconnect(code):
            continue
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return [[first, last] for first, last in spans]


def _tidied(node: JsonValue, *, names: bool = False) -> JsonValue:
    """Drop titles, which say a field's name again, and require a frame's constant ``type``.

    ``names``: the keys of ``node`` are names of fields.
    """
    if isinstance(node, list):
        return [_tidied(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: _tidied(value, names=key == "properties" and not names)
        for key, value in node.items()
        if names
        or not (key == "title" or (key == "default" and ("$ref" in node or "const" in node)))
    }
    fields = kept.get("properties")
    if not names and isinstance(fields, dict):
        required = kept.get("required", [])
        constants = [
            name for name, field in fields.items() if isinstance(field, dict) and "const" in field
        ]
        if isinstance(required, list) and (missing := [n for n in constants if n not in required]):
            kept["required"] = [*missing, *required]
    return kept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
