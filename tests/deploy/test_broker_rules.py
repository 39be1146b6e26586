"""Mosquitto answers a denied publish with success and grants a denied subscribe in silence: what counts
is what arrives. After each denied message an allowed one is sent on the same way, so that its arrival
alone shows that the denied one never came."""

from __future__ import annotations

import asyncio
import base64
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from cloud_relay.enrol.init import Initialised, RelayPlan, initialise
from cloud_relay.enrol.mosquitto import Listeners, hash_password, room_user
from cloud_relay.enrol.rooms import add_room, renew_room
from edge.link.enrolment import read_enrolment
from laundryd.daemon.mqtt import BrokerSettings, Message, MqttLink
from laundryd.demo.broker import free_port, mosquitto_program
from laundryd.wire.ids import RoomRef
from laundryd.wire.topics import Topic, topic_name

NORTH = RoomRef(site="maple-hall", room="north")
SOUTH = RoomRef(site="maple-hall", room="south")


ARRIVES_S = 5.0


@dataclass
class GuardedBroker:
    """A real Mosquitto that runs on the very files that ``relay init`` made."""

    initialised: Initialised
    port: int
    process: subprocess.Popen[bytes]

    @property
    def settings(self) -> BrokerSettings:
        return self.initialised.settings.broker

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)


@dataclass
class Listener:
    link: MqttLink
    inbox: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)

    async def next(self) -> Message:
        async with asyncio.timeout(ARRIVES_S):
            return await self.inbox.get()


@asynccontextmanager
async def signed_on(
    broker: BrokerSettings, name: str, *subscriptions: str
) -> AsyncIterator[Listener]:
    """A connected client that may or may not be allowed what it asks for."""
    listener = Listener(MqttLink(broker, name, name=name, subscriptions=subscriptions))
    up = asyncio.Event()

    async def connected() -> None:
        up.set()

    task = asyncio.create_task(listener.link.run(listener.inbox.put_nowait, connected))
    try:
        async with asyncio.timeout(ARRIVES_S):
            await up.wait()
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def as_user(broker: BrokerSettings, user: str | None, password: str | None) -> BrokerSettings:
    return broker.model_copy(
        update={"username": user, "password": SecretStr(password) if password else None}
    )


@pytest.fixture
def guarded_broker(tmp_path: Path) -> Iterator[GuardedBroker]:
    done = initialise(
        RelayPlan(
            data_dir=tmp_path / "relay",
            config=tmp_path / "relay" / "relay.toml",
            public_url="http://127.0.0.1:8080",
            vapid_subject="mailto:staff@example.org",
            listeners=Listeners(free_port()),
            edge_host="127.0.0.1",
        )
    )
    config = done.settings.broker_files / "standalone.conf"
    process = subprocess.Popen(
        [mosquitto_program(), "-c", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield GuardedBroker(done, done.settings.broker.port, process)
    finally:
        process.terminate()
        process.wait(5)


async def enrol(broker: GuardedBroker, room: RoomRef) -> BrokerSettings:
    """Enrol a room; the edge itself reads the file that the relay wrote."""
    added = await add_room(broker.initialised.settings, room, "A laundry room")
    broker.reload()
    enrolment = read_enrolment(added.enrolment_file, room)
    assert added.enrolment_file.stat().st_mode & 0o777 == 0o600
    return enrolment.broker


async def test_the_relay_hears_a_room_and_the_room_hears_the_relay(
    guarded_broker: GuardedBroker,
) -> None:
    north = await enrol(guarded_broker, NORTH)
    up, down = topic_name(NORTH, Topic.UP_HELLO), topic_name(NORTH, Topic.DOWN_HELLO)
    async with (
        signed_on(guarded_broker.settings, "relay", "laundry/v1/+/+/up/hello") as relay,
        signed_on(north, "north", "laundry/v1/maple-hall/north/down/#") as edge,
    ):
        await edge.link.publish(up, b"hello")
        assert (await relay.next()).payload == b"hello"
        await relay.link.publish(down, b"welcome")
        assert (await edge.next()).payload == b"welcome"


async def test_the_relay_does_everything_that_the_table_of_topics_asks_of_it(
    guarded_broker: GuardedBroker,
) -> None:
    north = await enrol(guarded_broker, NORTH)
    ups = [
        Topic.AVAILABILITY,
        Topic.UP_HELLO,
        Topic.UP_EVENTS,
        Topic.UP_SNAPSHOT,
        Topic.UP_PRESENCE,
    ]
    downs = [
        Topic.DOWN_HELLO,
        Topic.DOWN_ACK,
        Topic.DOWN_COMMAND,
        Topic.DOWN_ROSTER,
        Topic.DOWN_TOLD,
    ]
    async with (
        signed_on(guarded_broker.settings, "relay", "laundry/v1/#") as relay,
        signed_on(north, "north", "laundry/v1/#") as edge,
    ):
        for topic in ups:
            await edge.link.publish(topic_name(NORTH, topic), b"x")
            assert (await relay.next()).topic == topic_name(NORTH, topic)
        answer = topic_name(NORTH, Topic.UP_ANSWER, "relay")
        await edge.link.publish(answer, b"x")
        assert (await relay.next()).topic == answer
        for topic in downs:
            await relay.link.publish(topic_name(NORTH, topic), b"x")
            assert (await edge.next()).topic == topic_name(NORTH, topic)


async def test_a_room_cannot_speak_for_another_room(guarded_broker: GuardedBroker) -> None:
    north = await enrol(guarded_broker, NORTH)
    await enrol(guarded_broker, SOUTH)
    async with (
        signed_on(guarded_broker.settings, "relay", "laundry/v1/#") as relay,
        signed_on(north, "north") as edge,
    ):
        for topic in (Topic.UP_EVENTS, Topic.UP_HELLO, Topic.AVAILABILITY):
            await edge.link.publish(topic_name(SOUTH, topic), b"forged")
        await edge.link.publish(topic_name(NORTH, Topic.UP_HELLO), b"own")
        assert (await relay.next()).payload == b"own"


async def test_a_room_cannot_hear_another_room(guarded_broker: GuardedBroker) -> None:
    north = await enrol(guarded_broker, NORTH)
    await enrol(guarded_broker, SOUTH)
    async with (
        signed_on(guarded_broker.settings, "relay") as relay,
        signed_on(
            north, "north", "#", "laundry/v1/+/+/down/#", "laundry/v1/maple-hall/south/#", "$SYS/#"
        ) as edge,
    ):
        await relay.link.publish(topic_name(SOUTH, Topic.DOWN_COMMAND), b"secret")
        await relay.link.publish(topic_name(NORTH, Topic.DOWN_COMMAND), b"own")
        assert (await edge.next()).payload == b"own"


async def test_a_room_cannot_speak_as_the_relay(guarded_broker: GuardedBroker) -> None:
    north = await enrol(guarded_broker, NORTH)
    async with (
        signed_on(guarded_broker.settings, "relay") as relay,
        signed_on(north, "north", "laundry/v1/maple-hall/north/down/#") as edge,
    ):
        await edge.link.publish(topic_name(NORTH, Topic.DOWN_ROSTER), b"forged", retain=True)
        await relay.link.publish(topic_name(NORTH, Topic.DOWN_ROSTER), b"true", retain=True)
        assert (await edge.next()).payload == b"true"


async def test_a_room_cannot_read_what_it_says_to_the_relay(guarded_broker: GuardedBroker) -> None:
    north = await enrol(guarded_broker, NORTH)
    async with (
        signed_on(guarded_broker.settings, "relay", "laundry/v1/#") as relay,
        signed_on(north, "north", "laundry/v1/maple-hall/north/up/#", "#") as edge,
    ):
        await edge.link.publish(topic_name(NORTH, Topic.UP_SNAPSHOT), b"who owns what")
        assert (await relay.next()).payload == b"who owns what"
        await relay.link.publish(topic_name(NORTH, Topic.DOWN_ACK), b"ack")
        assert (await edge.next()).payload == b"ack"


@pytest.mark.parametrize("user", ["relay", "room.maple-hall.north", "nobody", None])
async def test_a_wrong_password_and_no_name_at_all_are_refused(
    guarded_broker: GuardedBroker, user: str | None
) -> None:
    await enrol(guarded_broker, NORTH)
    stranger = as_user(guarded_broker.settings, user, "guessed" if user else None)
    link = MqttLink(stranger, "stranger", name="stranger")

    async def never() -> None:
        raise AssertionError("a stranger was let in")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await link.run(lambda _: None, never)


async def test_a_renewed_credential_ends_the_old_one(guarded_broker: GuardedBroker) -> None:
    old = await enrol(guarded_broker, NORTH)
    path = await renew_room(guarded_broker.initialised.settings, NORTH)
    new = read_enrolment(path, NORTH).broker
    assert old.password != new.password
    guarded_broker.reload()
    async with signed_on(new, "north") as edge:
        assert edge.link.connected
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await MqttLink(old, "late", name="late").run(
                    lambda _: None, lambda: asyncio.sleep(0)
                )


def test_our_hashes_are_those_of_mosquitto_passwd(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    subprocess.run(
        ["mosquitto_passwd", "-c", "-b", str(file), "someone", "pass word"],
        check=True,
        capture_output=True,
    )
    theirs = file.read_text().strip().partition(":")[2]
    salt = base64.b64decode(theirs.split("$")[3])
    assert hash_password("pass word", salt) == theirs


def test_a_room_is_a_user_of_its_own() -> None:
    assert room_user(NORTH) != room_user(SOUTH)
