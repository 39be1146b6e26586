"""The real edge in a room with a plug of every make: what each says is what dashboards read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from laundryd.demo.broker import Mosquitto
from laundryd.wire.phases import Sensor
from tests.edge.room_watch import RoomWatch
from tests.edge.running import EdgeProcess
from tests.edge.sources import captured
from tests.edge.sources.test_tasmota import TWO_CHANNELS

PLUGS = {
    "dual": 'source = "tasmota", topic = "dual", channel = 2',
    "gen1": 'source = "shelly_gen1", topic = "plug-s"',
    "gen2": 'source = "shelly_gen2", topic = "plugs/gen2"',
    "mini": 'source = "shelly_gen2", topic = "plugs/mini"',
    "bee": 'source = "zigbee2mqtt", topic = "zigbee2mqtt/Washing machine"',
    "esp": 'source = "esphome", topic = "plugs/esp", power_sensor = "washer_power"',
    "any": 'source = "generic", topic = "meter", power_path = "p.0", power_unit = "kW"',
    "odd": 'source = "generic", topic = "meters/odd/command"',
}
SAID = (
    ("tele/dual/SENSOR", TWO_CHANNELS),
    ("shellies/plug-s/relay/0/power", captured.GEN1_POWER),
    ("plugs/gen2/events/rpc", captured.GEN2_POWER_CHANGED),
    ("plugs/mini/status/pm1:0", captured.PM_MINI),
    ("zigbee2mqtt/Washing machine", captured.ZIGBEE),
    ("plugs/esp/sensor/washer_power/state", captured.ESPHOME_POWER),
    ("meter", b'{"p":[0.75]}'),
    ("meters/odd/command", b"42"),
)
POWER_W = {
    "dual": 5.0,
    "gen1": 20.6,
    "gen2": 1800.5,
    "mini": 1780.1,
    "bee": 0.0,
    "esp": 12.3,
    "any": 750.0,
    "odd": 42.0,
}


@pytest.fixture
def edge(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[EdgeProcess]:
    machines = "".join(
        f'[[machines]]\nid = "{name}"\nkind = "washer"\nname = "{name}"\nplug = {{ {plug} }}\n'
        for name, plug in PLUGS.items()
    )
    process = EdgeProcess(tmp_path / "edge", mosquitto.settings, machines=machines)
    process.start()
    yield process
    assert process.stop() == 0, process.log
    assert "Traceback" not in process.log


async def test_every_make_is_measured_and_the_wills_of_each_are_heard(
    edge: EdgeProcess, mosquitto: Mosquitto
) -> None:
    async with RoomWatch.on(mosquitto.settings) as watch:
        await watch.until(lambda: len(watch.states) == len(PLUGS))
        for topic, payload in SAID:
            await watch.say(topic, payload)
        await watch.until(
            lambda: (
                {
                    name: None if (power_w := watch.power_w(name)) is None else round(power_w, 1)
                    for name in PLUGS
                }
                == POWER_W
            )
        )
        for topic, word in (
            ("tele/dual/LWT", b"Offline"),
            ("shellies/plug-s/online", b"false"),
            ("plugs/gen2/online", b"false"),
            ("zigbee2mqtt/bridge/state", b'{"state":"offline"}'),
            ("plugs/esp/status", b"offline"),
        ):
            await watch.say(topic, word, retain=True)
        gone = ("dual", "gen1", "gen2", "bee", "esp")
        await watch.until(lambda: all(watch.sensor(name) is Sensor.SILENT for name in gone))
        assert [watch.sensor(name) for name in ("mini", "any")] == [Sensor.OK, Sensor.OK]
    assert edge.metric("plug_messages_dropped_total", reason="inbox_full") == 0


async def test_what_zigbee2mqtt_remembers_when_it_starts_brings_no_plug_back(
    edge: EdgeProcess, mosquitto: Mosquitto
) -> None:
    topic = "zigbee2mqtt/Washing machine"
    async with RoomWatch.on(mosquitto.settings) as watch:
        await watch.until(lambda: len(watch.states) == len(PLUGS))
        await watch.say("zigbee2mqtt/bridge/state", b'{"state":"offline"}')
        await watch.until(lambda: watch.sensor("bee") is Sensor.SILENT)
        await watch.say("zigbee2mqtt/bridge/state", b'{"state":"online"}')
        await watch.say(topic, b'{"power":2000,"linkquality":90}')
        await asyncio.to_thread(
            edge.metric_becomes, 1, "plug_messages_skipped_total", reason="repeated"
        )
        assert watch.sensor("bee") is Sensor.SILENT
        assert watch.power_w("bee") is None
        await watch.say(topic, b'{"power":1,"linkquality":90}')
        await watch.until(lambda: watch.sensor("bee") is Sensor.OK and watch.power_w("bee") == 1.0)
