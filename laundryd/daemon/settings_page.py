"""The documentation of a program's settings, made from the table itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from types import UnionType
from typing import Final, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from laundryd.daemon.settings import ProgramSettings, is_secret, variable_name, walk

DESCRIPTION_MIN: Final = 20
"""Characters; a description that says unit and reason is not shorter."""
UNITS: Final[dict[str, str]] = {
    "_s": "seconds",
    "_ms": "milliseconds",
    "_min": "minutes",
    "_days": "days",
    "_bytes": "bytes",
    "_mb": "mib",
    "_w": "watts",
}
"""End of a setting's name -> the unit that its description must name."""
REASON: Final = re.compile(r"[:;,]|[.] [A-Z]|[(]|\b(because|so that|before|than|usual)\b")
"""What joins a number's meaning to its reason; without one a description says the unit at most."""

_PREFACE: Final = (
    "From the nearest to the farthest: command line, environment variable, credential file "
    "(`$CREDENTIALS_DIRECTORY`, named like the setting), TOML file (`--config`), default. "
    "A dot stands for a TOML table. A wrong setting stops the program with exit code 2."
)


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as it is documented. ``default`` None: it must be given."""

    name: str
    variable: str
    allowed: str
    default: str | None
    description: str


def rows(model: type[ProgramSettings]) -> Iterator[SettingRow]:
    """Yield one row for each setting of ``model``, in the order written."""
    for name, info in walk(model):
        yield SettingRow(
            name=name,
            variable=variable_name(model, name),
            allowed=_allowed(info),
            default=_default(info),
            description=info.description or "",
        )


def undocumented(model: type[ProgramSettings]) -> list[str]:
    """Return the settings whose description is missing, no sentence, or without unit or reason."""
    return [name for name, info in walk(model) if not says_enough(name, info)]


def says_enough(name: str, info: FieldInfo) -> bool:
    """Say whether a description is a sentence and, of a number, names its unit and its reason."""
    said = info.description or ""
    if len(said) < DESCRIPTION_MIN or not said.endswith("."):
        return False
    unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), "")
    is_number = bool({int, float} & set(_types(info.annotation)))
    return unit in said.lower() and (not is_number or REASON.search(said) is not None)


def _types(annotation: object) -> Iterator[object]:
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def page(model: type[ProgramSettings], program: str, command: str) -> str:
    """Write the Markdown page of ``model``; ``command`` is how it is made again."""
    lines = [
        f"# Settings of {program}",
        "",
        f"<!-- Made by `{command}`; a test fails when it is not current. -->",
        "",
        _PREFACE,
        "",
    ]
    table = None
    for row in rows(model):
        here = row.name.rpartition(".")[0]
        if here != table:
            table = here
            lines += [f"## [{here}]" if here else "## At the top", ""]
            lines += ["| setting | allowed | default | what it is |", "|---|---|---|---|"]
            lines += [
                _line(other) for other in rows(model) if other.name.rpartition(".")[0] == here
            ]
            lines.append("")
    first = next(rows(model))
    lines += [f"In the environment a setting is written like `{first.variable}`.", ""]
    return "\n".join(lines)


def write_page(path: Path, text: str) -> None:
    """Write the page to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _line(row: SettingRow) -> str:
    default = "must be given" if row.default is None else f"`{row.default}`"
    cells = (f"`{row.name.rpartition('.')[2]}`", row.allowed, default, row.description)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _default(info: FieldInfo) -> str | None:
    if info.is_required():
        return None
    value: object = info.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, (tuple, list, frozenset, set)):
        return "[" + ", ".join(f'"{one}"' for one in sorted(map(str, value))) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def _allowed(info: FieldInfo) -> str:
    kind = "secret text" if is_secret(info) else _kind(info.annotation)
    bounds = [_bound(limit) for limit in info.metadata]
    return ", ".join([kind, *(bound for bound in bounds if bound)])


def _bound(limit: object) -> str:
    signs = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    for attribute, words in signs.items():
        if (value := getattr(limit, attribute, None)) is not None:
            return f"{words} {value}"
    if pattern := getattr(limit, "pattern", None):
        return f"like `{pattern}`"
    return ""


_NAMES: Final[dict[object, str]] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    IPv4Network: "IPv4 network",
    IPv6Network: "IPv6 network",
    type(None): "none",
}


def _kind(annotation: object) -> str:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return " / ".join(f"`{member.value}`" for member in annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        kind = " or ".join(_kind(one) for one in arguments)
    elif origin in {list, tuple, frozenset, set}:
        kind = f"list of {_kind(arguments[0])}"
    elif arguments and all(isinstance(one, str) for one in arguments):
        kind = " / ".join(f"`{one}`" for one in arguments)
    elif arguments:  # Annotated
        kind = _kind(arguments[0])
    else:
        name = getattr(annotation, "__name__", str(annotation))
        kind = _NAMES.get(annotation) or re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()
    return kind
