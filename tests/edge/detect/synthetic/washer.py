"""Washes as real washers do them: each machine has its own powers and programmes, a function of a seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.edge.detect.synthetic.load import Load, Run, seeded


@dataclass(frozen=True, slots=True)
class WashProgramme:
    """One programme of one machine. Seconds."""

    name: str
    heating_s: float
    """Of a 15 °C tap in one phase or more; 0: a cold wash."""
    washing_s: float
    rinses: int
    spin_s: float


PROGRAMMES = (
    WashProgramme("cotton 60", heating_s=1400, washing_s=2400, rinses=3, spin_s=420),
    WashProgramme("cotton 40", heating_s=800, washing_s=1800, rinses=3, spin_s=420),
    WashProgramme("easy care", heating_s=700, washing_s=1300, rinses=2, spin_s=180),
    WashProgramme("quick", heating_s=260, washing_s=350, rinses=1, spin_s=240),
    WashProgramme("cold", heating_s=0, washing_s=1200, rinses=2, spin_s=300),
    WashProgramme("wool", heating_s=250, washing_s=900, rinses=2, spin_s=90),
)


@dataclass(frozen=True, slots=True)
class Washer:
    """One machine: what its motor, heater, pump and valves draw."""

    drum_w: float
    heater_w: float
    pump_w: float
    valve_w: float
    spin_w: float
    turn_s: float
    turn_rest_s: float
    gentle_rest_s: float
    """Between the turns of a wool wash: up to most of a minute."""

    @classmethod
    def of(cls, seed: int) -> Washer:
        """Make the machine of this seed."""
        rng = seeded(f"washer {seed}")
        return cls(
            drum_w=rng.uniform(90, 240),
            heater_w=rng.uniform(1900, 2200),
            pump_w=rng.uniform(22, 40),
            valve_w=rng.uniform(3, 11),
            spin_w=rng.uniform(250, 620),
            turn_s=rng.choice((5.0, 9.0, 12.0, 16.0)),
            turn_rest_s=rng.choice((3.0, 6.0, 8.0)),
            gentle_rest_s=rng.uniform(25, 55),
        )

    def load(self, programme: WashProgramme, seed: int) -> Load:
        """Wash one load; the tap's temperature and the laundry vary with the seed."""
        rng = seeded(f"wash {programme.name} {seed}")
        gentle = programme.name == "wool"
        runs: list[Run] = [(rng.uniform(1, 4), 45.0), (rng.uniform(20, 60), self.valve_w)]
        runs += self._turns(rng, rng.uniform(120, 260), gentle=gentle)
        heating_s = programme.heating_s * rng.uniform(0.75, 1.2)
        for share in (0.7, 0.2, 0.1) if heating_s else ():
            runs += self._heating(rng, heating_s * share, gentle=gentle)
            runs += self._turns(rng, programme.washing_s * 0.15, gentle=gentle)
        runs += self._turns(
            rng, programme.washing_s * 0.55 * rng.uniform(0.95, 1.05), gentle=gentle
        )
        for _ in range(programme.rinses):
            runs += self._rinse(rng, gentle=gentle)
        runs += self._spin(rng, programme.spin_s)
        runs += self._turns(rng, rng.uniform(30, 140), gentle=False, share=0.5)
        while runs[-1][1] <= self.valve_w:
            runs.pop()
        return Load(tuple(runs), sum(length for length, _ in runs))

    def _turns(
        self, rng: Random, length_s: float, *, gentle: bool, share: float = 1.0
    ) -> list[Run]:
        runs: list[Run] = []
        while length_s > 0:
            resting_s = self.gentle_rest_s if gentle else self.turn_rest_s
            turn: Run = (self.turn_s, self.drum_w * share * rng.uniform(0.85, 1.15))
            runs += [turn, (resting_s * rng.uniform(0.8, 1.3), 2.0)]
            length_s -= sum(length for length, _ in runs[-2:])
        return runs

    def _heating(self, rng: Random, length_s: float, *, gentle: bool) -> list[Run]:
        turns = self._turns(rng, length_s, gentle=gentle)
        return [(length, self.heater_w + watts) for length, watts in turns]

    def _rinse(self, rng: Random, *, gentle: bool) -> list[Run]:
        runs: list[Run] = [(rng.uniform(40, 80), self.pump_w)]
        runs += [(rng.uniform(60, 160), self.drum_w * 0.7), (rng.uniform(15, 35), self.pump_w)]
        runs.append((rng.uniform(30, 130), self.valve_w))
        return runs + self._turns(rng, rng.uniform(150, 260), gentle=gentle)

    def _spin(self, rng: Random, length_s: float) -> list[Run]:
        runs: list[Run] = [(rng.uniform(50, 90), self.pump_w)]
        for _ in range(rng.randint(1, 3)):  # laying the laundry out, until it is balanced
            runs += [(rng.uniform(8, 20), self.drum_w * 0.6), (rng.uniform(8, 25), self.pump_w)]
        steps = 8
        for step in range(1, steps + 1):
            power_w = self.pump_w + self.spin_w * step / steps * rng.uniform(0.9, 1.1)
            runs.append((length_s / steps, power_w))
        return [*runs, (rng.uniform(20, 40), self.pump_w)]
