"""Drying as real dryers do it: heating by a thermostat, cool-down, anti-crease tumbling."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.edge.detect.synthetic.load import Load, Run, seeded
from tests.edge.detect.synthetic.washer import PROGRAMMES, Washer


@dataclass(frozen=True, slots=True)
class Tumbling:
    """Anti-crease tumbling after the end: short turns, far apart."""

    gap_s: float
    pulse_s: float
    pulse_w: float
    length_s: float

    @classmethod
    def of(cls, seed: int) -> Tumbling:
        """Draw one within what was seen: pulses 130 to 660 s apart, 87 to 150 W, 15 to 20 s long."""
        rng = seeded(f"tumbling {seed}")
        gap_s = rng.uniform(130, 660)
        return cls(gap_s, rng.uniform(15, 20), rng.uniform(87, 150), rng.uniform(600, 2700))

    def runs(self) -> tuple[Run, ...]:
        count = max(1, int(self.length_s / self.gap_s))
        return ((self.gap_s - self.pulse_s, 0.0), (self.pulse_s, self.pulse_w)) * count


@dataclass(frozen=True, slots=True)
class Dryer:
    """One machine: what its motor and heater (or heat pump's compressor) draw."""

    drum_w: float
    heater_w: float
    reversing_s: float
    """The drum runs so long one way, rests for ``reversing_rest_s``, and turns back."""
    reversing_rest_s: float

    @classmethod
    def of(cls, seed: int) -> Dryer:
        """Make the machine of this seed; one in three has a heat pump."""
        rng = seeded(f"dryer {seed}")
        heat_pump = rng.random() < 1 / 3
        return cls(
            drum_w=rng.uniform(150, 220),
            heater_w=rng.uniform(350, 700) if heat_pump else rng.uniform(1800, 2500),
            reversing_s=rng.uniform(170, 420),
            reversing_rest_s=rng.uniform(1, 4),
        )

    def load(self, seed: int, *, tumbling: Tumbling | None = None) -> Load:
        """Dry one load until its cool-down is over, then tumble; None: no tumbling."""
        rng = seeded(f"dry {seed}")
        wetness = rng.uniform(0.5, 1.6)
        heating_s, cool_down_s = 2400 * wetness, rng.uniform(240, 620)
        steady_s = 0.7 * heating_s
        runs: list[Run] = [(rng.uniform(8, 20), self.drum_w)]
        runs += self._drum(rng, steady_s, self.heater_w)
        left_s = heating_s - steady_s
        while left_s > 0:  # the thermostat rests longer the drier the laundry is
            off_s, on_s = rng.uniform(20, 45) + 120 * (1 - left_s / heating_s), rng.uniform(60, 170)
            runs += self._drum(rng, off_s, 0.0) + self._drum(rng, on_s, self.heater_w)
            left_s -= off_s + on_s
        runs += self._drum(rng, cool_down_s, 0.0)
        while runs[-1][1] == 0:
            runs.pop()
        ready_s = sum(length for length, _ in runs)
        return Load((*runs, *(tumbling.runs() if tumbling else ())), ready_s)

    def _drum(self, rng: Random, length_s: float, heater_w: float) -> list[Run]:
        runs: list[Run] = []
        while length_s > 0:
            turning_s = min(length_s, self.reversing_s)
            runs.append((turning_s, heater_w + self.drum_w * rng.uniform(0.95, 1.1)))
            if turning_s < length_s:
                runs.append((self.reversing_rest_s, 0.0))
            length_s -= turning_s + self.reversing_rest_s
        return runs


def wash_and_dry(seed: int, *, tumbling: Tumbling | None = None) -> Load:
    """Wash and dry one load in a washer-dryer, a minute or two of thinking between."""
    rng = seeded(f"washer-dryer {seed}")
    wash = Washer.of(seed).load(rng.choice(PROGRAMMES[:3]), seed)
    between: tuple[Run, ...] = ((rng.uniform(20, 150), 3.0),)
    thinking = Load(between, between[0][0])
    return wash.then(thinking).then(Dryer.of(seed).load(seed, tumbling=tumbling))
