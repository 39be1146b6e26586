from __future__ import annotations

from collections import Counter

import pytest

from edge.checks.wire import (
    UNUSED_SHOWN,
    BrokerSight,
    PlugSight,
    judge_broker,
    judge_cloud,
    judge_plug,
    judge_unused,
)


def plug(*, asks: bool = True, skipped: str | None = None, **more: bool | float) -> PlugSight:
    seen = PlugSight("w1", "tasmota", "washer-1", asks, skipped=Counter())
    if skipped:
        seen.skipped[skipped] = 3
    for name, value in more.items():
        setattr(seen, name, value)
    return seen


@pytest.mark.parametrize(
    ("seen", "level", "said"),
    [
        (plug(readings=2, power_w=12.5), "ok", "is heard, 12.5 W"),
        (plug(readings=1), "ok", "is heard"),
        (plug(), "FAIL", "it was asked"),
        (plug(asks=False), "warn", "cannot be asked"),
        (plug(is_offline=True), "FAIL", "left the broker"),
        (plug(skipped="malformed"), "FAIL", "nothing is measured (3 malformed)"),
        (plug(asks=False, skipped="retained"), "warn", "said nothing in 10 s (3 retained)"),
    ],
)
def test_a_plug_is_judged_by_what_was_heard(seen: PlugSight, level: str, said: str) -> None:
    found = judge_plug(seen, 10.0)
    assert found.level == level
    assert said in found.line()


def test_a_broker_is_judged_by_what_it_carries_not_by_what_it_accepts() -> None:
    assert judge_broker(BrokerSight("h port 1", None, carried=True)).level == "ok"
    assert judge_broker(BrokerSight("h port 1", "edge")).level == "FAIL"
    assert judge_broker(BrokerSight("h port 1", "edge", trouble="refused")).level == "FAIL"
    assert judge_cloud(BrokerSight("h port 1", "room")).level == "ok"


def test_plugs_of_no_machine_matter_only_while_one_is_missing() -> None:
    lines = [str(number) for number in range(99)]
    assert judge_unused(lines, all_heard=True) == []
    assert len(judge_unused(lines, all_heard=False)) == UNUSED_SHOWN
