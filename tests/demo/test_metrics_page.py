from __future__ import annotations

from collections import Counter

from prometheus_client import REGISTRY, generate_latest

from cloud_relay.api import metrics as relay
from edge import metrics as edge
from laundryd.demo.metrics_page import COMMAND, PAGE, metrics_page, rows
from laundryd.live.metrics import Counts


def names(text: str) -> set[str]:
    """Return the metrics of ours in an exposition, as they are queried."""
    typed = [line.split() for line in text.splitlines() if line.startswith("# TYPE laundryd_")]
    return {name for _, _, name, _ in typed if not name.endswith("_created")}


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == metrics_page(), f"run {COMMAND}"


def test_every_metric_that_is_exposed_stands_on_the_page() -> None:
    Counts("page")
    edges = edge.registry(
        edge.EdgeCollector(
            {name: lambda: {"x": 1} for name in edge.COUNTERS},
            {name: lambda: 1.0 for name in edge.GAUGES},
        )
    )
    edge.commit_histogram(edges)
    relays = relay.registry(
        relay.RelayCollector(
            {name: Counter(x=1) for name in relay.COUNTERS},
            {name: lambda: 1.0 for name in relay.GAUGES},
        )
    )
    exposed = set[str]()
    for one in (REGISTRY, edges, relays):
        exposed |= names(generate_latest(one).decode())
    documented = {name for found in rows().values() for name, _, _, _ in found}
    assert exposed == documented


def test_every_metric_says_what_it_is() -> None:
    for found in rows().values():
        for name, _, _, about in found:
            assert about.endswith("."), name
