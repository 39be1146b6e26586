"""Discovery against a real broker with every make at once, and its bounds as pure code."""

from __future__ import annotations

import asyncio
import io
import json
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from cloud_relay.enrol.mosquitto import BrokerFiles
from edge.discover import Discovery, discover, report, settings_line
from edge.errors import BrokerUnreachableError
from edge.settings import MachineSettings, PlugSettings
from laundryd.daemon.mqtt import BrokerSettings, Message, MqttLink
from laundryd.demo.broker import Mosquitto, free_port
from tests.edge.sources import captured
from tests.edge.sources.parsing import AT, payloads
from tests.edge.sources.test_tasmota import ONE_CHANNEL, TWO_CHANNELS
from tests.edge.test_cli import laundryd

LISTEN_S = 2.0
ARRIVES_S = 10.0
SPEAKING: tuple[tuple[str, bytes], ...] = (
    ("tele/dual/SENSOR", TWO_CHANNELS),
    ("shellies/shelly-plug-s1/relay/0/power", captured.GEN1_POWER),
    ("shellies/shelly-plug-s1/relay/0/energy", captured.GEN1_ENERGY),
    ("plugs/plus1pm/status/switch:0", captured.GEN2_WORKING),
    ("plugs/mini/events/rpc", b'{"method":"NotifyStatus","params":{"pm1:0":{"apower":7.5}}}'),
    ("zigbee2mqtt/Washing machine", captured.ZIGBEE),
    ("laundry-node/sensor/washer_power/state", captured.ESPHOME_POWER),
    ("meter", b'{"total":{"power":1500}}'),
    ("garage/power_kw", b"2.1"),
    # And what is none:
    ("laundry/v1/maple/basement/machine/w1/state", b'{"power_w":56}'),
    ("homeassistant/device/x/config", b'{"power":1}'),
    ("shellies/shelly-plug-s1/relay/0", b"on"),
    ("zigbee2mqtt/thermometer", b'{"linkquality":80,"temperature":21.5}'),
    ("weather", b"\xff\x00"),
)
LINES = [
    'plug = { source = "esphome", topic = "laundry-node", power_sensor = "washer_power" }',
    'plug = { source = "generic", topic = "garage/power_kw", power_unit = "kW" }',
    'plug = { source = "generic", topic = "meter", power_path = "total.power" }',
    'plug = { source = "shelly_gen1", topic = "shelly-plug-s1", channel = 1 }',
    'plug = { source = "shelly_gen2", topic = "plugs/mini", channel = 1 }',
    'plug = { source = "shelly_gen2", topic = "plugs/plus1pm", channel = 1 }',
    'plug = { source = "tasmota", topic = "dual", channel = 1 }',
    'plug = { source = "tasmota", topic = "dual", channel = 2 }',
    'plug = { source = "tasmota", topic = "quiet" }',
    'plug = { source = "zigbee2mqtt", topic = "zigbee2mqtt/Washing machine" }',
]


@asynccontextmanager
async def house_of_plugs(broker: BrokerSettings) -> AsyncIterator[list[Message]]:
    """Plugs of every make that speak for themselves, and one that only answers. Yields what was asked."""
    asked: list[Message] = []
    questions: asyncio.Queue[Message] = asyncio.Queue()
    up = asyncio.Event()

    async def connected() -> None:
        up.set()

    filters = ["cmnd/#", "+/+/command", "plugs/+/rpc", "zigbee2mqtt/+/get", "+/+/relay/+/command"]
    link = MqttLink(broker, "house", name="house", subscriptions=filters)

    async def answer() -> None:
        await up.wait()
        await link.publish("tele/quiet/LWT", b"Online", retain=True)
        while True:
            asked.append(question := await questions.get())
            if question.topic == "cmnd/quiet/Status":
                await link.publish("stat/quiet/STATUS10", b'{"StatusSNS":' + ONE_CHANNEL + b"}")

    async def speak() -> None:
        await up.wait()
        while True:
            for topic, payload in SPEAKING:
                await link.publish(topic, payload)
            await asyncio.sleep(0.1)

    tasks = [
        asyncio.create_task(link.run(questions.put_nowait, connected)),
        asyncio.create_task(answer()),
        asyncio.create_task(speak()),
    ]
    try:
        async with asyncio.timeout(ARRIVES_S):
            await up.wait()
        yield asked
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_every_make_at_once_is_listed_with_its_values_and_its_settings_line(
    mosquitto: Mosquitto,
) -> None:
    out = io.StringIO()
    async with house_of_plugs(mosquitto.settings) as asked:
        await discover(mosquitto.settings, LISTEN_S, out, as_json=True)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [row["settings"] for row in rows] == LINES
    by_topic = {row["topic"]: row for row in rows if row["channel"] in {None, 1}}
    gen1 = by_topic["shelly-plug-s1"]
    assert (gen1["power_w"], gen1["energy_wh"]) == (20.58, 1578.933)
    assert by_topic["garage/power_kw"]["power_w"] == 2100
    quiet = by_topic["quiet"]
    assert (quiet["power_w"], quiet["readings"], quiet["only_retained"]) == (56, 1, False)
    payloads_asked = {message.payload for message in asked}
    assert payloads_asked <= {
        b"10",
        b"update",
        b'{"power":""}',
        *(
            b'{"id":1,"src":"plugs/%s/laundryd","method":"Shelly.GetStatus"}' % one
            for one in (b"mini", b"plus1pm")
        ),
    }, "nothing that could switch a machine"


@pytest.mark.parametrize("line", LINES)
def test_a_settings_line_is_settings(line: str) -> None:
    machine = tomllib.loads(f'id = "w1"\nkind = "washer"\nname = "x"\n{line}')
    plug = MachineSettings.model_validate(machine).plug
    assert plug is not None
    assert settings_line(plug.spec) == line


async def test_the_command_needs_no_settings_file_and_prints_a_list(mosquitto: Mosquitto) -> None:
    async with house_of_plugs(mosquitto.settings):
        done = await asyncio.to_thread(
            laundryd, "edge", "discover", "--port", str(mosquitto.port), "--seconds", "2"
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for line in LINES:
        assert f"    {line}\n" in done.stdout
    assert "10 plugs found" in done.stdout


async def test_a_quiet_broker_is_no_error_and_says_what_to_look_at(mosquitto: Mosquitto) -> None:
    out = io.StringIO()
    await discover(mosquitto.settings, 0.1, out, as_json=False)
    assert "0 plugs found. Is the plug connected" in out.getvalue()


def test_a_broker_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = laundryd("edge", "discover", "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stdout == ""
    [sentence] = done.stderr.splitlines()
    assert "no broker at 127.0.0.1 port" in sentence
    assert "Connection refused" in sentence
    done = laundryd("edge", "discover", "--config", str(tmp_path / "no.toml"))
    assert done.returncode == 2
    assert "no.toml" in done.stderr


async def test_a_broker_that_does_not_let_us_in_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.discover.CONNECT_S", 1.0)
    folder = tmp_path / "closed"
    folder.mkdir()
    BrokerFiles(folder).set_password("edge", "right")
    broker = Mosquitto(folder, extra=f"password_file {folder}/passwords\n")
    broker.start()
    try:
        wrong = broker.settings.model_copy(
            update={"username": "edge", "password": SecretStr("wrong")}
        )
        with pytest.raises(BrokerUnreachableError, match="check username, password") as caught:
            await discover(wrong, 0.1, io.StringIO(), as_json=False)
        assert "wrong" not in str(caught.value)
        right = wrong.model_copy(update={"password": SecretStr("right")})
        await discover(right, 0.1, io.StringIO(), as_json=False)
    finally:
        broker.stop()


def take(discovery: Discovery, topic: str, payload: bytes, *, retained: bool = False) -> int:
    return len(discovery.take(Message(topic, payload, retained), AT))


def test_each_plug_is_asked_once_and_channels_share_a_question() -> None:
    discovery = Discovery()
    assert take(discovery, "tele/dual/SENSOR", TWO_CHANNELS) == 1
    assert take(discovery, "tele/dual/SENSOR", TWO_CHANNELS) == 0


def test_what_only_the_broker_remembers_is_shown_as_such_until_it_is_measured() -> None:
    discovery = Discovery()
    take(discovery, "zigbee2mqtt/w", captured.ZIGBEE, retained=True)
    assert "only the broker's memory" in "\n".join(report(discovery, as_json=False))
    take(discovery, "zigbee2mqtt/w", captured.ZIGBEE)
    take(discovery, "zigbee2mqtt/w", b'{"linkquality":1,"power":2000}', retained=True)
    [found] = discovery.plugs()
    assert (found.power_w, found.readings, found.is_old) == (0.0, 1, False)


def test_its_memory_is_bounded_and_says_so() -> None:
    discovery = Discovery(plugs_max=3)
    for number in range(10):
        take(discovery, f"house/{number}/power", b"1")
    assert len(discovery.plugs()) == 3
    discovery.dropped = 7
    summary = list(report(discovery, as_json=False))[-1]
    assert "More than 3 looked like plugs; 7 messages of others" in summary
    assert "7 messages more came faster" in summary
    assert take(discovery, "a" * 5000 + "/power", b"1") == 0
    assert len(discovery.plugs()) == 3


@given(
    topic=st.text(),
    payload=payloads("power", "linkquality", "ENERGY", "apower"),
    retained=st.booleans(),
)
def test_no_message_crashes_it_and_every_line_is_settings(
    topic: str, payload: bytes, *, retained: bool
) -> None:
    discovery = Discovery()
    for name in (topic, f"{topic}/power", f"{topic}/online", f"tele/{topic}/SENSOR"):
        take(discovery, name, payload, retained=retained)
    for found in discovery.plugs():
        line = settings_line(found.spec)
        plug = PlugSettings.model_validate(tomllib.loads(line)["plug"])
        assert settings_line(plug.spec) == line
