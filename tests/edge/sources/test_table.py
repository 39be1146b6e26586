from __future__ import annotations

from dataclasses import fields
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.settings import PlugSettings
from edge.sources.source import PlugSpec
from edge.sources.table import SOURCES, build_source, recognised
from tests.edge.sources import captured
from tests.edge.sources.parsing import AT, payloads


def test_the_settings_name_every_source_of_the_table_and_no_other() -> None:
    assert list(get_args(PlugSettings.model_fields["source"].annotation)) == list(SOURCES)


def test_every_setting_of_a_plug_is_used_by_a_source_and_every_used_one_is_a_setting() -> None:
    used = set[str]().union(*(row.uses for row in SOURCES.values())) | {"source", "topic"}
    assert used == {field.name for field in fields(PlugSpec)} == set(PlugSettings.model_fields)


@pytest.mark.parametrize(
    ("topic", "payload", "named"),
    [
        ("tele/w1/SENSOR", b'{"ENERGY":{"Power":1}}', {"tasmota"}),
        ("shellies/x/relay/0/power", captured.GEN1_POWER, {"shelly_gen1"}),
        ("shellies/x/online", b"true", {"shelly_gen1", "shelly_gen2"}),
        ("x/status/pm1:0", captured.PM_MINI, {"shelly_gen2"}),
        ("zigbee2mqtt/x", captured.ZIGBEE, {"zigbee2mqtt"}),
        ("x/sensor/power/state", captured.ESPHOME_POWER, {"esphome"}),
        ("x/power", b"1", {"generic"}),
        ("x/volts", b"1", set()),
    ],
)
def test_a_message_is_claimed_by_its_own_make_before_the_generic_one(
    topic: str, payload: bytes, named: set[str]
) -> None:
    assert {spec.source for spec in recognised(topic, payload)} == named


_TOPICS = st.sampled_from(
    [
        "tele/w1/SENSOR",
        "shellies/x/relay/0/power",
        "x/status/switch:0",
        "x/events/rpc",
        "zigbee2mqtt/x",
        "x/sensor/power/state",
        "x/power",
    ]
)


@given(
    _TOPICS | st.text(),
    payloads("ENERGY", "Power", "params", "result", "switch:0", "apower", "linkquality", "power"),
)
def test_what_is_recognised_can_be_built_and_hears_the_message(topic: str, payload: bytes) -> None:
    for spec in recognised(topic, payload):
        if any(mark in spec.topic + str(spec.power_sensor) for mark in "+#\0"):
            continue
        if not spec.topic.strip("/"):
            continue
        source = build_source("m", spec)
        if topic.strip("/") == topic:
            assert topic in source.filters() or topic.endswith("/status")
        source.parse(topic, payload, AT)
