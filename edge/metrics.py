"""What the edge counts, as Prometheus metrics: one row each. Live sessions are counted by ``live``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

PREFIX: Final = "laundryd_edge_"

COUNTERS: Final[dict[str, str]] = {
    "plug_messages_skipped": "Plug messages without effect, by reason.",
    "plug_messages_dropped": "Plug messages dropped because more waited than are kept, by reason.",
    "cloud_messages_skipped": "Messages from the cloud's broker without effect, by reason.",
    "staff_commands_skipped": "Staff commands that were not carried out, by reason.",
}
"""Name without prefix and ``_total`` -> what it counts. Each has the one label ``reason``."""

GAUGES: Final[dict[str, str]] = {
    "room_broker_connected": "1 while the room's broker is there.",
    "uplink_connected": "1 while the cloud's broker is there; always 0 in a room without a relay.",
    "uplink_waiting_entries": "Journal entries that the relay has not acknowledged.",
    "store_durable": "0 while the room lives in memory because its database fails; /readyz says why.",
}
"""Name without prefix -> what it measures."""


class EdgeCollector(Collector):
    """Reads the numbers when they are asked for; ``counters`` and ``gauges`` have the tables' names."""

    def __init__(
        self,
        counters: Mapping[str, Callable[[], Mapping[str, int]]],
        gauges: Mapping[str, Callable[[], float]],
    ) -> None:
        self._counters, self._gauges = counters, gauges

    @override
    def collect(self) -> Iterable[Metric]:
        for name, read in self._counters.items():
            family = CounterMetricFamily(PREFIX + name, COUNTERS[name], labels=["reason"])
            for reason, count in sorted(read().items()):
                family.add_metric([reason], count)
            yield family
        for name, measure in self._gauges.items():
            yield GaugeMetricFamily(PREFIX + name, GAUGES[name], value=measure())


def registry(collector: Collector) -> CollectorRegistry:
    """Return a registry of one edge's own, so that several may live in one process."""
    own = CollectorRegistry()
    own.register(collector)
    return own
