"""What the relay's rooms count, as Prometheus metrics: one family each, labelled by outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

PREFIX: Final = "laundryd_relay_"

COUNTERS: Final[dict[str, str]] = {
    "commits": "Transactions for rooms' batches of entries: for one room alone, or for several together.",
    "messages_taken": "Messages from rooms that took effect.",
    "messages_skipped": "Messages from rooms without effect.",
    "notices": "Notices, by what became of them.",
    "pushes": "Attempts to push, by outcome.",
    "commands": "Remote commands, by outcome.",
    "snapshots": "Rooms handed out whole, by whether the answer was kept ready.",
    "announced_down": "Words to rooms of what staff announces.",
    "told_down": "Words to rooms that a notice was told.",
}
"""Name without prefix and ``_total`` -> what it counts. Each has the one label ``outcome``."""

GAUGES: Final[dict[str, str]] = {
    "broker_connected": "1 while the broker is there.",
    "edge_clock_off_seconds": "The largest difference between the relay's clock and that of a room's edge.",
    "messages_waiting": "Messages not taken yet.",
    "rooms": "Enrolled rooms.",
}
"""Name without prefix -> what it measures."""


class RelayCollector(Collector):
    """Reads the numbers when they are asked for; ``counters`` and ``gauges`` have the tables' names."""

    def __init__(
        self, counters: Mapping[str, Counter[str]], gauges: Mapping[str, Callable[[], float]]
    ) -> None:
        self._counters = counters
        self._gauges = gauges

    @override
    def collect(self) -> Iterable[Metric]:
        for name, counter in self._counters.items():
            family = CounterMetricFamily(PREFIX + name, COUNTERS[name], labels=["outcome"])
            for outcome, count in sorted(counter.items()):
                family.add_metric([outcome], count)
            yield family
        for name, read in self._gauges.items():
            yield GaugeMetricFamily(PREFIX + name, GAUGES[name], value=read())


def registry(collector: Collector) -> CollectorRegistry:
    """Return a registry of one relay's own, so that several may live in one process."""
    own = CollectorRegistry()
    own.register(collector)
    return own
