"""How fast power becomes cycles: a replayed line, and a plug's message from its bytes to the detector.

Each against the least that must be done with the same input: reading two numbers, reading the JSON.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from edge.detect.detector import Detector
from edge.replay import replay
from edge.sources.reading import Reading
from edge.sources.router import Router
from edge.sources.simulated import Programme, tasmota_sensor_payload
from edge.sources.tasmota import TasmotaPlug, sensor_topic
from laundryd.wire.machines import MachineKind

DAY_S = 86_400
"""Replayed lines, one a second: three programmes of two hours, each followed by six hours of standby."""

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
    events = [event.event for event in replay(lines, MachineKind.WASHER)]
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


def main() -> None:
    lines = day_of_lines()
    bare_s = fastest_s(lambda: read_only(lines))
    replayed_s = fastest_s(lambda: replay_all(lines))
    report("replay a line", replayed_s, bare_s, DAY_S, "reading its two numbers")
    begin = datetime(2026, 1, 5, tzinfo=UTC)
    payload = tasmota_sensor_payload(2000, 514_153, begin)
    payloads = [payload] * MESSAGES
    bare_s = fastest_s(lambda: parse_only(payloads))
    taken_s = fastest_s(lambda: take_all(payloads, begin))
    report("take a plug's message and tick", taken_s, bare_s, MESSAGES, "json.loads")


if __name__ == "__main__":
    main()
