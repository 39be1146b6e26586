"""What the relay's rooms count, as Prometheus metrics: one family each, labelled by outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override


class RelayCollector(Collector):
    """Reads counters when they are asked for. ``counters``: name without prefix -> help, counter.

    ``gauges``: name without prefix -> help, how to read it.
    """

    def __init__(
        self,
        counters: Mapping[str, tuple[str, Counter[str]]],
        gauges: Mapping[str, tuple[str, Callable[[], float]]],
    ) -> None:
        self._counters = counters
        self._gauges = gauges

    @override
    def collect(self) -> Iterable[Metric]:
        for name, (about, counter) in self._counters.items():
            family = CounterMetricFamily(f"laundryd_relay_{name}", about, labels=["outcome"])
            for outcome, count in sorted(counter.items()):
                family.add_metric([outcome], count)
            yield family
        for name, (about, read) in self._gauges.items():
            yield GaugeMetricFamily(f"laundryd_relay_{name}", about, value=read())


def registry(collector: Collector) -> CollectorRegistry:
    """Return a registry of one relay's own, so that several may live in one process."""
    own = CollectorRegistry()
    own.register(collector)
    return own
