"""How truly and how fast power becomes cycles. Exits 1 when a bar is missed, and says which.

How truly: the recorded traces beside the checkout, each replayed from its first sample with nothing known
before, scored by their reference cycles, beside three rival rules. How fast: a month of one plug; a
replayed line and a plug's message from its bytes to the detector, each against the least that must be done
with the same input (reading two numbers, reading the JSON).
"""

import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.detect.detector import Detector
from edge.replay import replay, run_replay
from edge.sources.reading import Reading
from edge.sources.router import Router
from edge.sources.simulated import Programme, tasmota_sensor_payload
from edge.sources.tasmota import TasmotaPlug, sensor_topic
from laundryd.wire.machines import MachineKind
from tests.bench.sensing.rules import RIVALS, rival_events
from tests.bench.sensing.score import Score, score
from tests.bench.sensing.table import LEGEND, missed_bars, table
from tests.bench.sensing.traces import TRACES, Trace, recorded_traces

DAY_S = 86_400
"""Replayed lines, one a second: three programmes of two hours, each followed by six hours of standby."""

MONTH_DAYS = 30
MONTH_BAR_S = 30.0
"""A month of 1 s samples of one plug replays in less, seconds."""

MESSAGES = 20_000
ROUNDS = 3
"""Each side is measured this often, in turn; the fastest round counts, as it was disturbed least."""


def day_of_lines() -> list[str]:
    programme = Programme(MachineKind.WASHER, 120)
    return [f"{second},{programme.power_w(second % (DAY_S // 3))}\n" for second in range(DAY_S)]


def read_only(lines: list[str]) -> None:
    for line in lines:
        time_text, _, power_text = line.partition(",")
        float(time_text)
        float(power_text)


def parse_only(payloads: list[bytes]) -> None:
    for payload in payloads:
        json.loads(payload)


def replay_all(lines: list[str]) -> None:
    told = [event.event for event in replay(lines, MachineKind.WASHER)]
    events = [event for event in told if event in {"started", "finished"}]
    if events != ["started", "finished"] * 3:
        raise AssertionError(f"three programmes were replayed, and this was found: {events}")


def take_all(payloads: list[bytes], begin: datetime) -> None:
    router, detector = Router([TasmotaPlug("m", "plug")]), Detector(MachineKind.WASHER)
    topic = sensor_topic("plug")
    for second, payload in enumerate(payloads):
        at = begin + timedelta(seconds=second)
        for heard in router.take(topic, payload, at):
            if isinstance(heard, Reading):
                detector.feed(heard)
        detector.tick(at)


def fastest_s(side: Callable[[], None]) -> float:
    took = []
    for _ in range(ROUNDS):
        started_s = time.perf_counter()
        side()
        took.append(time.perf_counter() - started_s)
    return min(took)


def report(what: str, measured_s: float, bare_s: float, count: int, reference: str) -> None:
    result = {
        "what": what,
        "value": measured_s / count * 1e6,
        "unit": "µs",
        "reference": reference,
        "ratio": measured_s / bare_s,
    }
    print(json.dumps(result))


def month_s(day: Sequence[str]) -> float:
    """Replay a month as the command does, from a file to JSON lines; ``day`` over and over.

    Seconds of one core: it only reads and computes, so on a machine of its own that is how long it takes.
    """
    watts = [line.partition(",")[2] for line in day]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "washer.csv"
        with path.open("w") as file:
            for number in range(MONTH_DAYS):
                begin_s = number * DAY_S
                file.writelines(f"{begin_s + second},{said}" for second, said in enumerate(watts))
        started_s = time.process_time()
        run_replay([path], MachineKind.WASHER, True, io.StringIO())
        return time.process_time() - started_s


def compare(traces: Sequence[Trace]) -> Iterator[str]:
    """Print the table of all rules over all traces, then ours by plug; yield each bar missed."""
    rivals = {rule: Score() for rule in RIVALS}
    plugs: list[tuple[str, Score]] = []
    for trace in traces:
        lines, references = trace.lines(), trace.references()
        plugs.append((trace.name, score(references, replay(lines, trace.kind))))
        samples = [(float(at), float(w)) for at, w in (line.split(",") for line in lines[1:])]
        for rule in rivals:
            rivals[rule] += score(references, rival_events(rule, samples))
    ours = sum((one for _, one in plugs), start=Score())
    rows = [("laundryd", ours), *((rule.name, one) for rule, one in rivals.items())]
    for line in (*table(rows), "", *table(plugs), "", *LEGEND, ""):
        print(line)
    yield from missed_bars(ours)


def main() -> int:
    """Return 1 when a bar is missed, else 0."""
    missed: list[str] = []
    if traces := recorded_traces():
        missed += compare(traces)
    else:
        print(f"cycles and times of real machines: not measured, there are no traces in {TRACES}")
    lines = day_of_lines()
    taken_s = month_s(lines)
    if taken_s >= MONTH_BAR_S:
        missed.append(f"a month of one plug took {taken_s:.1f} s; under {MONTH_BAR_S:g} s")
    result = {"what": "replay a month of 1 s samples of one plug", "value": taken_s, "unit": "s"}
    print(json.dumps({**result, "reference": "its bar", "ratio": taken_s / MONTH_BAR_S}))
    bare_s = fastest_s(lambda: read_only(lines))
    replayed_s = fastest_s(lambda: replay_all(lines))
    report("replay a line", replayed_s, bare_s, DAY_S, "reading its two numbers")
    begin = datetime(2026, 1, 5, tzinfo=UTC)
    payload = tasmota_sensor_payload(2000, 514_153, begin)
    payloads = [payload] * MESSAGES
    bare_s = fastest_s(lambda: parse_only(payloads))
    taken_s = fastest_s(lambda: take_all(payloads, begin))
    report("take a plug's message and tick", taken_s, bare_s, MESSAGES, "json.loads")
    for sentence in missed:
        print(f"MISSED: {sentence}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
