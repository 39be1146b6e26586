"""Days of one machine, each built around one thing that goes wrong in the field. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from laundryd.wire.machines import MachineKind
from tests.edge.detect.synthetic.dryer import Dryer, Tumbling, wash_and_dry
from tests.edge.detect.synthetic.load import Load, rest, seeded, sparse_turns
from tests.edge.detect.synthetic.timeline import HOUR_S, Timeline
from tests.edge.detect.synthetic.washer import PROGRAMMES, Washer, WashProgramme

MINUTE_S = 60.0
COTTON = PROGRAMMES[1]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a machine of a kind drew. What belongs to no reference cycle must start none."""

    name: str
    kind: MachineKind
    timeline: Timeline


def floor_w(seed: int) -> float:
    """A standby floor of 0 to 17 W: two machines in three draw next to nothing."""
    rng = seeded(f"floor {seed}")
    return round(rng.choice((rng.uniform(0, 1), rng.uniform(0, 3), rng.uniform(3, 17))), 1)


def a_wash(seed: int, programme: WashProgramme = COTTON) -> Load:
    return Washer.of(seed).load(programme, seed)


def a_load(kind: MachineKind, seed: int) -> Load:
    """One load of this kind; every second dryer tumbles afterwards."""
    tumbling = Tumbling.of(seed) if seed % 2 else None
    match kind:
        case MachineKind.WASHER:
            return a_wash(seed, seeded(f"programme {seed}").choice(PROGRAMMES))
        case MachineKind.DRYER:
            return Dryer.of(seed).load(seed, tumbling=tumbling)
        case MachineKind.WASHER_DRYER:
            return wash_and_dry(seed, tumbling=tumbling)


def one_load(name: str, kind: MachineKind, load: Load, seed: int) -> Scenario:
    """Stand by for an hour, do the load, stand by for two hours."""
    line = Timeline(floor_w(seed)).idle(HOUR_S).load(load).idle(2 * HOUR_S)
    return Scenario(name, kind, line)


def soaking(minutes: float, share: float, seed: int, *, watts: float = 0.0) -> Scenario:
    """A wash that soaks, or is paused by its resident (a display may burn), at a share of its way."""
    load = a_wash(seed)
    soaked = load.interrupted(share * load.ready_s, rest(minutes * MINUTE_S, watts))
    return one_load(f"{minutes:g} min of rest at {share:.0%}", MachineKind.WASHER, soaked, seed)


def turning_now_and_then(
    gap_minutes: float, share: float, seed: int, *, count: int = 3
) -> Scenario:
    """A soak in which the drum turns once every ``gap_minutes``."""
    load = a_wash(seed)
    soak = sparse_turns(gap_minutes * MINUTE_S, count)
    name = f"a turn every {gap_minutes:g} min at {share:.0%}"
    soaked = load.interrupted(share * load.ready_s, soak)
    return one_load(name, MachineKind.WASHER, soaked, seed)


def two_loads(kind: MachineKind, gap_minutes: float, seed: int) -> Scenario:
    """The laundry is taken out and the next put in, the door open in between."""
    line = Timeline(floor_w(seed)).idle(HOUR_S).load(a_load(kind, seed))
    line.swap(gap_minutes * MINUTE_S, seed).load(a_load(kind, seed + 1)).idle(2 * HOUR_S)
    return Scenario(f"two loads {gap_minutes:g} min apart", kind, line)


def next_load_while_tumbling(seed: int) -> Scenario:
    """A dryer's door is opened amid its tumbling, and the next load dries two minutes later."""
    dryer, tumbling = Dryer.of(seed), Tumbling.of(seed)
    first = dryer.load(seed, tumbling=tumbling)
    opened_s = first.ready_s + tumbling.gap_s * 1.5
    line = Timeline(floor_w(seed)).idle(HOUR_S).load(first.cut(opened_s)).door(60).idle(60)
    line.load(dryer.load(seed + 1)).idle(2 * HOUR_S)
    return Scenario("the next load while tumbling", MachineKind.DRYER, line)


def displaying(watts: float, hours: float, seed: int) -> Scenario:
    """After a wash the display burns for hours, then the machine stands by, then the next load."""
    line = Timeline(min(floor_w(seed), 1.0)).idle(HOUR_S).load(a_wash(seed))
    line.display(hours * HOUR_S, watts).door().idle(HOUR_S).load(a_wash(seed + 1)).idle(2 * HOUR_S)
    return Scenario(f"{watts:g} W for {hours:g} h after the end", MachineKind.WASHER, line)


def nothing_but_noise(kind: MachineKind, seed: int) -> Scenario:
    """A day of spikes, opened doors and a delayed start without one load."""
    rng = seeded(f"noise {seed}")
    line = Timeline(floor_w(seed)).idle(HOUR_S)
    for _ in range(8):
        line.spike(rng.uniform(1, 8), rng.uniform(30, 2000)).idle(rng.uniform(300, 3000))
        line.door(rng.uniform(20, 600)).idle(rng.uniform(300, 3000))
    return Scenario("spikes and doors", kind, line.delayed_start(4 * HOUR_S).idle(HOUR_S))


def delayed(seed: int) -> Scenario:
    """A wash whose start was put off by three hours."""
    line = Timeline(min(floor_w(seed), 1.0)).idle(HOUR_S).delayed_start().load(a_wash(seed))
    return Scenario("a delayed start", MachineKind.WASHER, line.idle(2 * HOUR_S))


def months(kind: MachineKind, cycles: int, seed: int, *, silent: bool = True) -> Scenario:
    """Months of one machine: mixed programmes, displays, doors, spikes, loads in a row.

    ``silent``: the plug says nothing between the days, as in the recorded traces; else it stands by.
    """
    rng = seeded(f"months {kind.value} {seed}")
    line = Timeline(floor_w(seed))
    machine, dryer = Washer.of(seed), Dryer.of(seed)
    favourites = rng.sample(PROGRAMMES, 3)
    for number in range(cycles):
        line.idle(rng.uniform(600, 3000))
        load_seed = 1000 * seed + number
        tumbling = Tumbling.of(seed) if rng.random() < 0.5 else None
        match kind:
            case MachineKind.WASHER:
                programme = rng.choices(favourites, (6, 3, 1))[0]
                line.load(machine.load(programme, load_seed))
            case MachineKind.DRYER:
                line.load(dryer.load(load_seed, tumbling=tumbling))
            case MachineKind.WASHER_DRYER:
                wash = machine.load(rng.choice(favourites), load_seed)
                drying = dryer.load(load_seed, tumbling=tumbling)
                # One in three only washes and takes the laundry to the line.
                line.load(wash if rng.random() < 1 / 3 else wash.then(drying))
        if rng.random() < 0.3:
            line.swap(rng.uniform(240, 840), load_seed)
            continue
        line.display(rng.uniform(300, 5000), rng.uniform(2, 17)).door()
        line.idle(rng.uniform(600, 7200)).spike(rng.uniform(1, 6), rng.uniform(30, 500)).idle(900)
        days_s = rng.uniform(6, 60) * HOUR_S
        line = line.silence(days_s) if silent else line.idle(days_s)
    return Scenario(f"{cycles} cycles over months", kind, line.idle(2 * HOUR_S))
