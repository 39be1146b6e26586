"""Reading what a stranger sent: bounded, total, and honest about what is missing.

Every function returns its value or a ``Skip``; none raises, whatever the bytes are.
"""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from typing import Final, NoReturn

from edge.sources.reading import Heard, PlugOnline, Reading, Skip, SkipReason

MAX_PAYLOAD_BYTES: Final = 16_384
"""Largest plug message that is read, bytes: the largest known, a Shelly's full status, has about 3,000."""
MAX_POWER_W: Final = 50_000.0
"""Largest power believed, watts: twice what a three-phase 32 A connection can carry."""
NEGATIVE_TOLERANCE_W: Final = 5.0
"""Meters near their zero report a little below it, watts; that much is read as 0."""
MAX_ENERGY_WH: Final = 1e9
"""Largest counter believed, watt-hours: a 10 kW machine running for eleven years."""
_DETAIL_CHARS: Final = 120
"""How much of a stranger's text may stand in a log line, characters."""
_NUMBER_CHARS: Final = 40
"""Longest number that is read, characters: nothing measured needs more."""
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NO_VALUE: Final = frozenset({"", "nan", "none", "null", "unknown", "unavailable"})
"""What plugs and bridges write, in any case, when a sensor has no value."""


def skip(reason: SkipReason, detail: str) -> Skip:
    """Make a ``Skip`` whose ``detail`` is printable and short, whatever was in the message."""
    shown = detail if detail.isprintable() else ascii(detail)
    return Skip(reason, shown if len(shown) <= _DETAIL_CHARS else shown[: _DETAIL_CHARS - 1] + "…")


def oversized(payload: bytes) -> Skip | None:
    """Refuse a payload over ``MAX_PAYLOAD_BYTES``; None: it may be read."""
    if len(payload) <= MAX_PAYLOAD_BYTES:
        return None
    return skip(SkipReason.OVERSIZED, f"{len(payload)} bytes, at most {MAX_PAYLOAD_BYTES} are read")


def text_of(payload: bytes) -> str | Skip:
    """Read a payload as UTF-8 without the blanks around it."""
    too_big = oversized(payload)
    if too_big is not None:
        return too_big
    try:
        return payload.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        return skip(SkipReason.MALFORMED, f"not UTF-8: {error.reason} at byte {error.start}")


def json_object(payload: bytes) -> dict[str, object] | Skip:
    """Read a payload as one JSON object. ``NaN`` and ``Infinity``, which are not JSON, are refused."""
    text = text_of(payload)
    if isinstance(text, Skip):
        return text
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        return skip(SkipReason.MALFORMED, "JSON nested too deeply")
    except ValueError as error:
        return skip(SkipReason.MALFORMED, f"not JSON: {error}")
    if not isinstance(value, dict):
        return skip(SkipReason.MALFORMED, f"a JSON {type(value).__name__} instead of an object")
    return value


def number_of(text: str, name: str) -> float | Skip | None:
    """Read a plain decimal number; None: the text says that there is no value, as ``nan`` does."""
    if text.lower() in _NO_VALUE:
        return None
    if len(text) > _NUMBER_CHARS or not _NUMBER.fullmatch(text):
        return skip(SkipReason.MALFORMED, f"{name} is {text[:_NUMBER_CHARS]!r}, not a number")
    return float(text)


def plain_number(payload: bytes, name: str) -> float | Skip | None:
    """Read a payload that is one number; None: it says that there is no value."""
    text = text_of(payload)
    return text if isinstance(text, Skip) else number_of(text, name)


def power_w(value: object, name: str, w_per_unit: float = 1.0) -> float | Skip | None:
    """Read a power as watts; its unit is ``w_per_unit`` watts (1,000 for kW).

    ``name`` is the field's, for the message. None stays None, not measured, and a skip a skip.
    """
    number = _number(value, name)
    if number is None or isinstance(number, Skip):
        return number
    if w_per_unit != 1.0:
        # Milliwatts are finer than any plug measures; they hide what binary fractions make of kW.
        number = round(number * w_per_unit, 3)
    if not -NEGATIVE_TOLERANCE_W <= number <= MAX_POWER_W:
        return skip(SkipReason.IMPLAUSIBLE, f"{name} is {number:g} W")
    return max(0.0, number)


def energy_wh(value: object, name: str, wh_per_unit: float) -> float | Skip | None:
    """Read an energy counter as watt-hours; its unit is ``wh_per_unit`` watt-hours (1,000 for kWh)."""
    number = _number(value, name)
    if number is None or isinstance(number, Skip):
        return number
    # Milliwatt-hours are finer than any plug counts; they hide what binary fractions make of kWh.
    energy = round(number * wh_per_unit, 3)
    if not 0.0 <= energy <= MAX_ENERGY_WH:
        return skip(SkipReason.IMPLAUSIBLE, f"{name} is {energy:g} Wh")
    return energy


def measured(
    machine: str,
    at: datetime,
    *,
    power: float | Skip | None = None,
    energy: float | Skip | None = None,
    missing: str = "the sensor has no value",
) -> list[Heard | Skip] | Skip:
    """Make the reading of what was read; ``missing`` says what is the matter when there is nothing.

    A counter that cannot be used takes no good power with it: its skip stands beside the reading.
    """
    if isinstance(power, Skip):
        return power
    if isinstance(energy, Skip):
        return energy if power is None else [Reading(machine, at, power), energy]
    if power is None and energy is None:
        return skip(SkipReason.NOT_MEASURED, missing)
    return [Reading(machine, at, power, energy)]


def will(
    machine: str, at: datetime, payload: bytes, *, online: bytes, offline: bytes
) -> list[Heard | Skip] | Skip:
    """Read a plug's birth or will: exactly one of two words."""
    if payload in {online, offline}:
        return [PlugOnline(machine, at, online=payload == online)]
    text = text_of(payload)
    if isinstance(text, Skip):
        return text
    return skip(
        SkipReason.MALFORMED, f"{text!r} is neither {online.decode()} nor {offline.decode()}"
    )


def _number(value: object, name: str) -> float | Skip | None:
    if value is None or isinstance(value, Skip):
        return value
    # bool is an int in Python, but `true` is no measurement.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return skip(SkipReason.MALFORMED, f"{name} is {value!r}, not a number")
    try:
        number = float(value)
    except OverflowError:
        return skip(SkipReason.IMPLAUSIBLE, f"{name} is too large for a number")
    if not math.isfinite(number):
        return skip(SkipReason.IMPLAUSIBLE, f"{name} is {number}")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
