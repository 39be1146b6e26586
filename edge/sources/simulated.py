"""Simulated plugs for the demo and the tests: the power of a programme, and Tasmota's way to say it.

Everything is a function of its arguments and a seed: the same programme always draws the same power.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from edge.sources.tasmota import WH_PER_KWH
from laundryd.wire.machines import MachineKind

MAINS_V: Final = 230
MIN_PROGRAMME_MINUTES: Final = 5.0
"""Shortest programme that can be simulated, minutes: below it a detector may rightly doubt a cycle."""
STANDBY_W: Final = 0.8
DISPLAY_W: Final = 3.5
"""Drawn after the end while the display says so, for ``DISPLAY_S`` seconds."""
DISPLAY_S: Final = 900.0
_NOISE_SHARE: Final = 0.04
"""How far the drawn power wanders around its value, as a share of it."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a programme up to a share of its length.

    A drum turns for ``turn_s`` with ``turn_w`` and rests for ``rest_s``; ``steady_w`` is drawn all along.
    """

    until_share: float
    steady_w: float
    turn_w: float
    turn_s: float = 12.0
    rest_s: float = 6.0


_WASH: Final = (
    _Part(0.04, 25.0, 140.0),  # the water runs in, the laundry is wetted
    _Part(0.30, 2050.0, 160.0),  # heating
    _Part(0.62, 5.0, 170.0, turn_s=14.0, rest_s=8.0),  # washing
    _Part(0.70, 32.0, 0.0),  # draining
    _Part(0.84, 5.0, 150.0),  # rinsing
    _Part(0.88, 30.0, 220.0),  # draining, laying the laundry out
    _Part(1.0, 35.0, 420.0, turn_s=60.0, rest_s=4.0),  # spinning
)
_DRY: Final = (
    _Part(0.03, 8.0, 180.0, turn_s=50.0, rest_s=3.0),
    _Part(0.85, 8.0, 2250.0, turn_s=100.0, rest_s=20.0),  # heating, by a thermostat
    _Part(1.0, 8.0, 185.0, turn_s=50.0, rest_s=3.0),  # cooling down
)
_DRYING_DRUM_W: Final = 180.0
"""The drum of a dryer turns while the thermostat rests."""
_WASHING_SHARE: Final = 0.5
"""The part of a washer-dryer's programme that is its wash."""
_HEATING_W: Final = 1000
"""Above it a machine is mostly a heater, with a power factor near 1."""


@dataclass(frozen=True, slots=True)
class Programme:
    """A machine's programme of ``minutes``; ``seed`` sets its noise.

    Raises:
        ValueError: ``minutes`` is below ``MIN_PROGRAMME_MINUTES``.

    """

    kind: MachineKind
    minutes: float
    seed: int = 0

    def __post_init__(self) -> None:
        if self.minutes < MIN_PROGRAMME_MINUTES:
            raise ValueError(
                f"a simulated programme of {self.minutes:g} min: at least {MIN_PROGRAMME_MINUTES:g}"
            )

    def power_w(self, elapsed_s: float) -> float:
        """Give the power, watts, ``elapsed_s`` seconds after the start; before 0 it stands by.

        It works to the last second of the programme, lights its display for a quarter of an hour, and
        stands by again.
        """
        length_s = self.minutes * 60
        if elapsed_s < 0 or elapsed_s >= length_s + DISPLAY_S:
            drawn_w = STANDBY_W
        elif elapsed_s >= length_s:
            drawn_w = DISPLAY_W
        else:
            drawn_w = self._working_w(elapsed_s, length_s)
        return round(drawn_w * (1 + _NOISE_SHARE * self._noise(elapsed_s)), 1)

    def _working_w(self, elapsed_s: float, length_s: float) -> float:
        share = elapsed_s / length_s
        match self.kind:
            case MachineKind.WASHER:
                return _drawn_w(_WASH, share, elapsed_s)
            case MachineKind.DRYER:
                return max(_DRYING_DRUM_W, _drawn_w(_DRY, share, elapsed_s))
            case MachineKind.WASHER_DRYER:
                if share < _WASHING_SHARE:
                    return _drawn_w(_WASH, share / _WASHING_SHARE, elapsed_s)
                drying_share = (share - _WASHING_SHARE) / (1 - _WASHING_SHARE)
                return max(_DRYING_DRUM_W, _drawn_w(_DRY, drying_share, elapsed_s))

    def _noise(self, elapsed_s: float) -> float:
        """Give -1 to 1, the same for the same second of the same programme."""
        digest = zlib.crc32(f"{self.seed}:{self.kind}:{int(elapsed_s)}".encode())
        return digest / 0x7FFF_FFFF - 1.0


def _drawn_w(parts: tuple[_Part, ...], share: float, elapsed_s: float) -> float:
    part = next(part for part in parts if share < part.until_share)
    turning = elapsed_s % (part.turn_s + part.rest_s) < part.turn_s
    return part.steady_w + (part.turn_w if turning else 0.0)


def tasmota_sensor_payload(
    power_w: float, total_wh: float, at: datetime, *, started_counting: datetime | None = None
) -> bytes:
    """Write what a Tasmota plug publishes on ``tele/<topic>/SENSOR``, every field of it.

    ``total_wh`` is the plug's counter since ``started_counting`` (aware; None: at ``at``). Like the real
    one it rounds power to whole watts and says its times without a zone.
    """
    watts = round(power_w)
    factor = 0.97 if watts > _HEATING_W else 0.61
    apparent_va = round(watts / factor)
    total_kwh = round(total_wh / WH_PER_KWH, 3)
    energy: dict[str, object] = {
        "TotalStartTime": _local(started_counting or at),
        "Total": total_kwh,
        "Yesterday": 0.0,
        "Today": total_kwh,
        "Period": 0,
        "Power": watts,
        "ApparentPower": apparent_va,
        "ReactivePower": round((apparent_va**2 - watts**2) ** 0.5),
        "Factor": factor if watts else 0.0,
        "Voltage": MAINS_V,
        "Current": round(apparent_va / MAINS_V, 3),
    }
    body = {"Time": _local(at), "ENERGY": energy}
    return json.dumps(body, separators=(",", ":")).encode()


def _local(moment: datetime) -> str:
    """Write a moment as Tasmota does, to the second and without a zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
