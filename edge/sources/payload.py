"""Reading what a stranger sent: bounded, total, and honest about what is missing.

Every function returns its value or a ``Skip``; none raises, whatever the bytes are.
"""

from __future__ import annotations

import json
import math
from typing import Final, NoReturn

from edge.sources.reading import Skip, SkipReason

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


def power_w(value: object, name: str) -> float | Skip | None:
    """Read a power in watts; ``name`` is the field's, for the message. None stays None: not measured."""
    number = _number(value, name)
    if number is None or isinstance(number, Skip):
        return number
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


def _number(value: object, name: str) -> float | Skip | None:
    if value is None:
        return None
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
