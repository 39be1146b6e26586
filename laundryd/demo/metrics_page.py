"""``docs/metrics.md``, made from the tables of the edge, the relay and the session server.

``python -m laundryd.demo.metrics_page`` writes it; a test fails when it is not current. It stands here
because only the demo may know both programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from cloud_relay.api import metrics as relay
from edge import metrics as edge
from laundryd.live import metrics as live

PAGE: Final = Path(__file__).parents[2] / "docs" / "metrics.md"
COMMAND: Final = "python -m laundryd.demo.metrics_page"

Row = tuple[str, str, str, str]
"""Name, type, labels, what it says."""


def rows() -> dict[str, list[Row]]:
    """Return every metric of ours, by where it comes from."""
    return {
        "The edge": [
            *_own(edge.PREFIX, edge.COUNTERS, edge.GAUGES, edge.REASON, edge.LABELS),
            *(
                (edge.PREFIX + name, "histogram", "", about)
                for name, about in edge.HISTOGRAMS.items()
            ),
        ],
        "The relay": list(_own(relay.PREFIX, relay.COUNTERS, relay.GAUGES, "outcome")),
        "Live sessions, at both": list(_live()),
    }


def metrics_page() -> str:
    """Return the page as Markdown."""
    preface = (
        "`GET /metrics` of the edge and of the relay, in Prometheus' text format, beside the client "
        "library's own `process_*` and `python_*`."
    )
    lines = [
        "# Metrics",
        "",
        f"<!-- Made by `{COMMAND}`; a test fails when it is not current. -->",
        "",
        preface,
        "",
    ]
    for title, found in rows().items():
        lines += [
            f"## {title}",
            "",
            "| metric | type | labels | what it says |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| `{name}` | {kind} | {labels} | {about} |" for name, kind, labels, about in found
        ]
        lines.append("")
    return "\n".join(lines)


def _own(
    prefix: str,
    counters: dict[str, str],
    gauges: dict[str, str],
    label: str,
    labels: dict[str, str] | None = None,
) -> Iterator[Row]:
    for name, about in counters.items():
        yield f"{prefix}{name}_total", "counter", f"`{(labels or {}).get(name, label)}`", about
    for name, about in gauges.items():
        yield f"{prefix}{name}", "gauge", "", about


def _live() -> Iterable[Row]:
    for value in vars(live).values():
        if isinstance(value, (Counter, Gauge, Histogram)):
            (family,) = value.describe()
            name = f"{family.name}_total" if isinstance(value, Counter) else family.name
            labels = ", ".join(f"`{one}`" for one in value._labelnames)  # noqa: SLF001 -- no public way
            yield name, family.type, labels, family.documentation


if __name__ == "__main__":
    PAGE.write_text(metrics_page(), encoding="utf-8")
