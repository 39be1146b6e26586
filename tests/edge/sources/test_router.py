from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.payload import MAX_PAYLOAD_BYTES
from edge.sources.reading import PlugOnline, Reading, SkipReason
from edge.sources.router import LOG_EVERY, Router
from edge.sources.source import Ask, PlugSpec
from edge.sources.table import build_source
from edge.sources.tasmota import TasmotaPlug

AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
BOTH = b'{"ENERGY":{"Power":[52,5]}}'


def shared_plug() -> Router:
    return Router(
        [TasmotaPlug("washer-1", "box", 1), TasmotaPlug("dryer-1", "box", 2)],
    )


def test_one_message_tells_of_every_machine_behind_the_plug() -> None:
    router = shared_plug()
    assert router.take("tele/box/SENSOR", BOTH, AT) == [
        Reading("washer-1", AT, 52.0),
        Reading("dryer-1", AT, 5.0),
    ]
    assert router.take("tele/box/LWT", b"Offline", AT) == [
        PlugOnline("washer-1", AT, online=False),
        PlugOnline("dryer-1", AT, online=False),
    ]
    assert not router.skipped


def test_a_shared_plug_is_subscribed_to_and_asked_once() -> None:
    router = shared_plug()
    assert router.filters() == ("tele/box/SENSOR", "stat/box/STATUS10", "tele/box/LWT")
    assert router.asks() == {Ask("cmnd/box/Status", b"10"): ("washer-1", "dryer-1")}


def test_a_message_that_one_machine_cannot_use_still_serves_the_other() -> None:
    router = shared_plug()
    one_channel = b'{"ENERGY":{"Power":52}}'
    assert router.take("tele/box/SENSOR", one_channel, AT) == [Reading("washer-1", AT, 52.0)]
    assert router.skipped == {SkipReason.NO_SUCH_CHANNEL: 1}


def test_an_unknown_topic_a_malformed_and_an_oversized_message_are_counted_skips() -> None:
    router = shared_plug()
    assert router.take("tele/other/SENSOR", BOTH, AT) == []
    assert router.take("tele/box/SENSOR", b"{", AT) == []
    assert router.take("tele/box/SENSOR", b"x" * (MAX_PAYLOAD_BYTES + 1), AT) == []
    assert router.skipped == {
        SkipReason.UNKNOWN_TOPIC: 1,
        SkipReason.MALFORMED: 2,  # once for each machine behind it
        SkipReason.OVERSIZED: 1,
    }


def test_a_retained_measurement_is_no_measurement_but_a_retained_will_counts() -> None:
    router = Router([TasmotaPlug("washer-1", "w1")])
    old = b'{"ENERGY":{"Power":2000}}'
    assert router.take("tele/w1/SENSOR", old, AT, retained=True) == []
    assert router.skipped == {SkipReason.RETAINED: 1}
    assert router.take("tele/w1/LWT", b"Online", AT, retained=True) == [
        PlugOnline("washer-1", AT, online=True)
    ]


def test_a_babbling_plug_writes_one_log_line_a_minute_for_each_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    router = Router([TasmotaPlug("washer-1", "w1")])
    with caplog.at_level(logging.WARNING, logger="laundryd.edge.sources"):
        for second in range(59):
            router.take("tele/w1/SENSOR", b"{", AT + timedelta(seconds=second))
        assert len(caplog.records) == 1
        router.take("tele/w1/SENSOR", b"{}", AT)
        assert len(caplog.records) == 2, "another reason is another line"
        router.take("tele/w1/SENSOR", b"{", AT + LOG_EVERY)
    first, other, later = caplog.records
    assert first.__dict__["machine"] == "washer-1"
    assert "malformed" in first.getMessage()
    assert "not_measured" in other.getMessage()
    assert "58 more" in later.getMessage()
    assert router.skipped[SkipReason.MALFORMED] == 60


def test_a_clock_set_back_does_not_silence_the_log(caplog: pytest.LogCaptureFixture) -> None:
    router = Router([])
    with caplog.at_level(logging.WARNING, logger="laundryd.edge.sources"):
        router.take("x", b"", AT)
        router.take("x", b"", AT - timedelta(hours=1))
    assert len(caplog.records) == 2


def test_a_strangers_topic_cannot_forge_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="laundryd.edge.sources"):
        Router([]).take("a\nINFO all is well" + "x" * 1000, b"", AT)
    [record] = caplog.records
    assert "\n" not in record.getMessage()
    assert len(record.getMessage()) < 500


@given(topic=st.text(), payload=st.binary(max_size=64), retained=st.booleans())
def test_taking_a_message_never_raises(topic: str, payload: bytes, *, retained: bool) -> None:
    router = Router([TasmotaPlug("washer-1", "w1")])
    for name in (topic, "tele/w1/SENSOR", "tele/w1/LWT"):
        router.take(name, payload, AT, retained=retained)


@pytest.mark.parametrize(
    ("source", "topic", "payload", "power_w"),
    [
        (
            PlugSpec("tasmota", "p"),
            "tele/p/SENSOR",
            b'{"ENERGY":{"Total":-0.003,"Power":2000}}',
            2000.0,
        ),
        (PlugSpec("zigbee2mqtt", "z/p"), "z/p", b'{"power":5,"energy":-1}', 5.0),
        (
            PlugSpec("shelly_gen2", "p"),
            "p/status/switch:0",
            b'{"apower":7,"aenergy":{"total":1e12}}',
            7.0,
        ),
        (
            PlugSpec("generic", "p", power_path="power", energy_path="energy", energy_unit="kWh"),
            "p",
            b'{"power":9,"energy":-1}',
            9.0,
        ),
    ],
)
def test_a_counter_that_cannot_be_takes_no_good_power_with_it_and_is_counted(
    source: PlugSpec, topic: str, payload: bytes, power_w: float
) -> None:
    router = Router([build_source("w1", source)])
    assert router.take(topic, payload, AT) == [Reading("w1", AT, power_w)]
    assert router.skipped == {SkipReason.IMPLAUSIBLE: 1}
