"""The check against a real broker, real plugs, files and ports."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cloud_relay.enrol.mosquitto import BrokerFiles
from edge.check import check
from edge.local.codes import make_join_code
from edge.settings import EdgeSettings
from laundryd.daemon.mqtt import BrokerSettings, MqttLink
from laundryd.daemon.settings import load_settings
from laundryd.daemon.tokens import SigningKey
from laundryd.demo.broker import Mosquitto, free_port
from tests.edge.running import EdgeProcess, enrolment_file
from tests.edge.test_cli import laundryd

HEARD = b'{"ENERGY":{"Power":56,"Total":1.5}}'
PLUGS = """
[[machines]]
id = "heard"
kind = "washer"
name = "Heard"
plug = { topic = "heard" }
[[machines]]
id = "asked"
kind = "washer"
name = "Asked"
plug = { topic = "asked" }
[[machines]]
id = "silent"
kind = "washer"
name = "Silent"
plug = { topic = "silent" }
[[machines]]
id = "gone"
kind = "washer"
name = "Gone"
plug = { topic = "gone" }
[[machines]]
id = "quiet"
kind = "dryer"
name = "Quiet"
plug = { source = "generic", topic = "quiet/power" }
[[machines]]
id = "channel"
kind = "dryer"
name = "Wrong channel"
plug = { topic = "one-channel", channel = 2 }
[[machines]]
id = "bare"
kind = "dryer"
name = "Bare"
"""


def settings_of(
    folder: Path, broker: BrokerSettings, more: str = "", machines: str = PLUGS
) -> EdgeSettings:
    return load_settings(EdgeSettings, config_of(folder, broker, more, machines))


def config_of(folder: Path, broker: BrokerSettings, more: str = "", machines: str = PLUGS) -> Path:
    path = folder / "edge.toml"
    path.write_text(
        f'site = "maple-hall"\nroom = "basement"\ndata_dir = "{folder}/data"\n{machines}\n'
        f"[broker]\nport = {broker.port}\n{more}"
        + ("" if "[http]" in more else f"[http]\nport = {free_port()}\n")
    )
    return path


async def lines_of(settings: EdgeSettings, seconds: float = 0.5) -> tuple[bool, dict[str, str]]:
    """Run the check; its lines by what they are of, each with its level before it."""
    out = io.StringIO()
    is_good = await check(settings, out, seconds=seconds)
    found: dict[str, str] = {}
    for line in out.getvalue().splitlines():
        what, _, said = line[6:].partition(": ")
        found[what] = f"{line[:4].strip()} {said}"
    return is_good, found


@asynccontextmanager
async def plugs(broker: BrokerSettings) -> AsyncIterator[None]:
    """One that speaks, one that only answers, one that left, one on a topic that no machine has."""
    up = asyncio.Event()
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def connected() -> None:
        up.set()

    link = MqttLink(broker, "plugs", name="plugs", subscriptions=["cmnd/#"])

    async def answer() -> None:
        while True:
            if await asked.get() == "cmnd/asked/Status":
                await link.publish("stat/asked/STATUS10", b'{"StatusSNS":' + HEARD + b"}")

    async def speak() -> None:
        await up.wait()
        await link.publish("tele/gone/LWT", b"Offline", retain=True)
        while True:
            for topic in ("heard", "mistaken", "one-channel"):
                await link.publish(f"tele/{topic}/SENSOR", HEARD)
            await asyncio.sleep(0.1)

    running = link.run(lambda message: asked.put_nowait(message.topic), connected)
    tasks = [asyncio.create_task(work) for work in (running, answer(), speak())]
    try:
        async with asyncio.timeout(10):
            await up.wait()
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_each_plug_is_told_by_what_was_heard_of_it(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with plugs(mosquitto.settings):
        is_good, said = await lines_of(settings_of(tmp_path, mosquitto.settings), seconds=2)
    assert not is_good
    assert said["room broker"].endswith("lets us in anonymous, publish and subscribe")
    assert said["plug of heard"] == "ok tasmota heard is heard, 56 W"
    assert said["plug of asked"] == "ok tasmota asked is heard, 56 W"
    assert said["plug of silent"].startswith(
        "FAIL tasmota silent said nothing in 2 s; it was asked"
    )
    assert said["plug of gone"].startswith(
        "FAIL tasmota gone left the broker; see that it has power"
    )
    assert said["plug of quiet"].startswith(
        "warn generic quiet/power said nothing in 2 s; it cannot"
    )
    assert "nothing is measured" in said["plug of channel"]
    assert "no_such_channel" in said["plug of channel"]
    assert said["plug of no machine"].startswith(
        'warn plug = { source = "tasmota", topic = "mistaken" }; if one is a silent'
    )
    assert said["machine bare"].endswith("no plug: residents and timers decide")
    assert not (tmp_path / "data").exists(), "it changes nothing"


async def test_a_room_in_order_has_no_fail_and_leaves_no_trace(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    machines = PLUGS[: PLUGS.index('[[machines]]\nid = "asked"')]
    await make_join_code(tmp_path / "data")
    before = {one.name: one.read_bytes() for one in (tmp_path / "data").iterdir()}
    async with plugs(mosquitto.settings):
        config = config_of(tmp_path, mosquitto.settings, machines=machines)
        done = await asyncio.to_thread(laundryd, "edge", "check", "-c", str(config), "--json")
        started = datetime.now(UTC)
        is_good, said = await lines_of(load_settings(EdgeSettings, config), seconds=60)
    assert datetime.now(UTC) - started < timedelta(seconds=30), "heard is heard: no more waiting"
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["level"] for row in rows} == {"ok"}
    assert [row["what"] for row in rows] == list(said)
    assert is_good
    assert {one.name: one.read_bytes() for one in (tmp_path / "data").iterdir()} == before


async def test_no_broker_is_one_fail_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    nowhere = BrokerSettings(port=free_port())
    done = await asyncio.to_thread(
        laundryd, "edge", "check", "-c", str(config_of(tmp_path, nowhere))
    )
    assert done.returncode == 1
    assert done.stderr == ""
    (broker,) = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert f"127.0.0.1 port {nowhere.port}" in broker
    assert "refused" in broker
    assert "ok    cloud: none" in done.stdout


async def test_a_wrong_password_and_a_user_who_may_not_speak_are_told_apart(
    tmp_path: Path,
) -> None:
    files = BrokerFiles(tmp_path)
    files.set_password("edge", "right")
    acl = tmp_path / "acl"
    acl.write_text("user edge\ntopic read #\n")
    broker = Mosquitto(
        tmp_path / "mosquitto",
        extra=f"password_file {tmp_path}/passwords\nacl_file {acl}\n",
    )
    broker.start()
    try:
        wrong = settings_of(tmp_path, broker.settings, 'username = "edge"\npassword = "wr0ng"\n')
        is_good, said = await lines_of(wrong)
        assert not is_good
        assert "does not let us in" in said["room broker"]
        assert "check username and password" in said["room broker"]
        assert "wr0ng" not in str(said)
        mute = settings_of(tmp_path, broker.settings, 'username = "edge"\npassword = "right"\n')
        is_good, said = await lines_of(mute)
        assert not is_good
        assert "does not carry our words" in said["room broker"]
    finally:
        broker.stop()


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 8192)


def not_a_database(path: Path) -> None:
    path.write_bytes(b"this is no database, whatever it is" * 200)


def newer(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(overwritten, "damaged"), (not_a_database, "damaged"), (newer, "schema 999 is newer")],
)
async def test_a_database_that_cannot_be_used_is_told_and_left_alone(
    tmp_path: Path, mosquitto: Mosquitto, spoil: Callable[[Path], None], said: str
) -> None:
    await make_join_code(tmp_path / "data")
    path = tmp_path / "data" / "room.db"
    spoil(path)
    before = path.read_bytes()
    is_good, lines = await lines_of(settings_of(tmp_path, mosquitto.settings))
    assert not is_good
    assert lines["database"].startswith("FAIL")
    assert said in lines["database"]
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["room.db"]


@pytest.fixture
def running(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[EdgeProcess]:
    edge = EdgeProcess(tmp_path / "edge", mosquitto.settings)
    edge.start()
    yield edge
    assert edge.stop() == 0, edge.log


async def test_an_edge_that_runs_is_seen_and_not_disturbed(running: EdgeProcess) -> None:
    running.metric_becomes(1, "room_broker_connected")
    running.write()  # with the port that it got
    _, said = await lines_of(load_settings(EdgeSettings, running.config))
    assert said["page"] == f"ok an edge serves it at http://127.0.0.1:{running.port} already"
    assert "reads well" in said["database"]
    assert running.metric("room_broker_connected") == 1
    assert running.log.count("room broker: connected") == 1, "it kept its place"
    assert running.metric("staff_commands_skipped_total", reason="malformed") == 0


async def test_a_port_that_something_else_holds_is_told(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        more = f"[http]\nport = {port}\n"
        _, said = await lines_of(settings_of(tmp_path, mosquitto.settings, more))
    assert said["page"].startswith(f"FAIL cannot listen on 127.0.0.1 port {port}")


async def test_a_public_name_that_the_page_does_not_answer_to_is_told(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    more = f'[http]\nport = {free_port()}\npublic_url = "http://laundry.example"\n'
    _, said = await lines_of(settings_of(tmp_path, mosquitto.settings, more))
    assert said["page"].startswith("FAIL http.public_url names laundry.example")


def certificate(folder: Path, days: float) -> str:
    """Write a certificate that is valid until in ``days``; return its lines of settings."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "laundry.local")])
    until = datetime.now(UTC) + timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(until - timedelta(days=90))
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return (
        f'[http]\nport = {free_port()}\ncertfile = "{folder}/cert.pem"\n'
        f'keyfile = "{folder}/key.pem"\n'
    )


@pytest.mark.parametrize(
    ("days", "said"), [(60.0, "ok valid"), (3.5, "3 days left"), (-1.0, "over; renew it")]
)
async def test_a_certificates_dates_are_read(
    tmp_path: Path, mosquitto: Mosquitto, days: float, said: str
) -> None:
    more = certificate(tmp_path, days)
    _, lines = await lines_of(settings_of(tmp_path, mosquitto.settings, more))
    assert said in lines["certificate"]


async def test_a_key_of_another_certificate_is_told(tmp_path: Path, mosquitto: Mosquitto) -> None:
    certificate(tmp_path, 60)
    shutil.copy(tmp_path / "key.pem", tmp_path / "other.pem")
    more = certificate(tmp_path, 60)
    shutil.copy(tmp_path / "other.pem", tmp_path / "key.pem")
    _, lines = await lines_of(settings_of(tmp_path, mosquitto.settings, more))
    assert lines["certificate"].startswith("FAIL it cannot be used")
    assert "MISMATCH" in lines["certificate"].upper()


async def test_the_relays_broker_is_tried_and_its_file_read(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    key = SigningKey.load_or_create(tmp_path / "key.pem")
    path = enrolment_file(tmp_path, mosquitto.settings, key)
    more = f'[cloud]\nenrolment = "{path}"\n'
    _, said = await lines_of(settings_of(tmp_path, mosquitto.settings, more))
    assert said["enrolment"].endswith("of https://laundry.example.org")
    assert said["cloud broker"].startswith("ok")
    enrolment_file(tmp_path, BrokerSettings(port=free_port()), key)
    is_good, said = await lines_of(settings_of(tmp_path, mosquitto.settings, more))
    assert not is_good
    assert said["cloud broker"].startswith("FAIL")
    path.write_text("site = 'x'")
    _, said = await lines_of(settings_of(tmp_path, mosquitto.settings, more))
    assert said["enrolment"].startswith("FAIL cloud.enrolment:")
    assert "cloud broker" not in said


def test_wrong_settings_are_the_answer_before_anything_is_looked_at(tmp_path: Path) -> None:
    done = laundryd("edge", "check", "-c", str(tmp_path / "no.toml"))
    assert done.returncode == 2
    assert "no.toml" in done.stderr
