"""How long a live batch takes on its way out and in, against the standard library's bare JSON.

Both sides of each ratio do the same batch in the same run; pydantic's part is what it adds: checked
types, times, enums.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from laundryd.wire.events import PublicEvent
from laundryd.wire.frames import SERVER_FRAME, Batch
from laundryd.wire.machines import MachineKind, MachineView
from laundryd.wire.phases import Cause, Phase, Sensor

EVENTS = 100
"""Events in a batch: the most that the protocol puts into one frame."""

ROUNDS = 7
"""Each side is measured this often, in turn; the fastest round counts, as it was disturbed least."""

REPEATS = 50
"""Batches in a round, so that a round is far longer than the clock is coarse."""


def batch() -> Batch:
    at = datetime(2026, 1, 5, 18, 30, tzinfo=UTC)
    view = MachineView(
        machine="washer-1",
        kind=MachineKind.WASHER,
        name="Washer 1",
        phase=Phase.IN_USE,
        since=at,
        sensor=Sensor.OK,
        started_at=at,
    )
    events = [
        PublicEvent(
            room="maple-hall.basement",
            epoch="0" * 32,
            offset=offset,
            follows=offset - 1,
            at=at,
            cause=next(iter(Cause)),
            machine=view,
        )
        for offset in range(1, EVENTS + 1)
    ]
    return Batch(events=events)


def fastest_s(*sides: Callable[[], object]) -> list[float]:
    """Return the fastest time of one call of each side, in seconds."""
    fastest = [float("inf")] * len(sides)
    for _ in range(ROUNDS):
        for number, side in enumerate(sides):
            started_s = time.perf_counter()
            for _ in range(REPEATS):
                side()
            took_s = (time.perf_counter() - started_s) / REPEATS
            fastest[number] = min(fastest[number], took_s)
    return fastest


def report(what: str, measured_s: float, reference_s: float, reference: str) -> None:
    result = {
        "what": f"{what} a batch of {EVENTS} events",
        "value": measured_s * 1e6,
        "unit": "µs",
        "reference": reference,
        "ratio": measured_s / reference_s,
    }
    print(json.dumps(result))


def main() -> None:
    frame = batch()
    text = frame.model_dump_json()
    plain = json.loads(text)
    out_s, bare_out_s, in_s, bare_in_s = fastest_s(
        frame.model_dump_json,
        lambda: json.dumps(plain),
        lambda: SERVER_FRAME.validate_json(text),
        lambda: json.loads(text),
    )
    report("write", out_s, bare_out_s, "json.dumps")
    report("read", in_s, bare_in_s, "json.loads")


if __name__ == "__main__":
    main()
