"""What the edge counts, as Prometheus metrics: one row each. Live sessions are counted by ``live``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

PREFIX: Final = "laundryd_edge_"

COUNTERS: Final[dict[str, str]] = {
    "plug_messages_skipped": "Plug messages without effect, by reason.",
    "plug_messages_dropped": "Plug messages dropped because more waited than are kept, by reason.",
    "cloud_messages_skipped": "Messages from the cloud's broker without effect, by reason.",
    "staff_commands_skipped": "Staff commands that were not carried out, by reason.",
    "cycle_signals": "What detectors told the room, by kind.",
    "commands": "Residents' commands answered anew, from the room and from afar, by answer: ok or an "
    "error's code.",
}
"""Name without prefix and ``_total`` -> what it counts. Each has one label."""

LABELS: Final[dict[str, str]] = {"cycle_signals": "kind", "commands": "code"}
"""A counter's label where it is not ``reason``."""
REASON: Final = "reason"

GAUGES: Final[dict[str, str]] = {
    "room_broker_connected": "1 while the room's broker is there.",
    "uplink_connected": "1 while the cloud's broker is there; always 0 in a room without a relay.",
    "uplink_waiting_entries": "Journal entries that the relay has not acknowledged.",
    "relay_ahead_seconds": "How far the relay's clock is ahead of the room's, measured at each hello; "
    "0 before the first.",
    "sensors_silent": "Machines whose plug is not heard.",
    "store_durable": "0 while the room lives in memory because its database fails; /readyz says why.",
}
"""Name without prefix -> what it measures."""

COMMIT_SECONDS: Final = "commit_seconds"
HISTOGRAMS: Final[dict[str, str]] = {
    COMMIT_SECONDS: "Seconds that one decision of the room took to be kept: mostly the disk's fsync.",
}
"""Name without prefix -> what it measures."""
COMMIT_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""From a good SSD to an SD card that is busy with itself; a resident waits for each."""


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
            family = CounterMetricFamily(
                PREFIX + name, COUNTERS[name], labels=[LABELS.get(name, REASON)]
            )
            for reason, count in sorted(read().items()):
                family.add_metric([reason], count)
            yield family
        for name, measure in self._gauges.items():
            yield GaugeMetricFamily(PREFIX + name, GAUGES[name], value=measure())


def by_kind(counts: Mapping[str, int]) -> dict[str, int]:
    """Turn the names of signals' classes into labels: ``CycleStarted`` is ``cycle_started``."""
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): n for name, n in counts.items()}


def commit_histogram(own: CollectorRegistry) -> Histogram:
    """Make the histogram of commits in an edge's own registry."""
    name = PREFIX + COMMIT_SECONDS
    return Histogram(name, HISTOGRAMS[COMMIT_SECONDS], buckets=COMMIT_BUCKETS_S, registry=own)


def registry(collector: Collector) -> CollectorRegistry:
    """Return a registry of one edge's own, so that several may live in one process."""
    own = CollectorRegistry()
    own.register(collector)
    return own
