"""What the link asks of brokers that speak MQTT 5, and of one that speaks 3.1.1 alone: a real nats-server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from laundryd.daemon.mqtt import SESSION_EXPIRY_S, WILL_DELAY_S, Message, MqttLink, Will
from laundryd.demo.broker import Broker, Mosquitto, Nats
from tests.daemon.test_mqtt import Probe, running

AVAILABILITY = "a/availability"


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Nats]:
    broker = Nats(tmp_path / "nats")
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@pytest.fixture(params=["mosquitto", "nats"])
def broker(request: pytest.FixtureRequest) -> Broker:
    found: Broker = request.getfixturevalue(request.param)
    return found


async def get(probe: Probe, timeout_s: float = 15) -> Message:
    async with asyncio.timeout(timeout_s):
        return await probe.messages.get()


def version(link: MqttLink) -> aiomqtt.ProtocolVersion:
    return link._protocol


async def test_each_broker_is_spoken_to_as_it_can(mosquitto: Mosquitto, nats: Nats) -> None:
    for broker, wanted in (
        (mosquitto, aiomqtt.ProtocolVersion.V5),
        (nats, aiomqtt.ProtocolVersion.V311),
    ):
        link = MqttLink(broker.settings, "edge", name="edge", subscriptions=["a/+"])
        async with running(link) as probe:
            assert version(link) is wanted
            assert await link.publish("a/b", b"x")
            assert await get(probe) == Message("a/b", b"x", retained=False)


async def test_what_came_while_we_were_away_is_kept_for_a_session_that_lasts(
    broker: Broker,
) -> None:
    def edge(expiry_s: int) -> MqttLink:
        return MqttLink(
            broker.settings,
            f"edge-{expiry_s}",
            name="edge",
            subscriptions=["a/+"],
            session_expiry_s=expiry_s,
        )

    writer = MqttLink(broker.settings, "writer", name="writer")
    async with running(writer):
        for expiry_s in (SESSION_EXPIRY_S, 0):
            async with running(edge(expiry_s)):
                pass
            assert await writer.publish("a/b", b"while away")
            async with running(edge(expiry_s)) as back:
                assert await writer.publish("a/b", b"after")
                # Which of the two comes first is the broker's affair.
                heard = [(await get(back)).payload for _ in range(2 if expiry_s else 1)]
                # Without a session it is lost: that is what the session is for.
                assert sorted(heard) == ([b"after", b"while away"] if expiry_s else [b"after"])


async def test_a_retained_word_is_kept_over_a_kill_of_the_broker(broker: Broker) -> None:
    link = MqttLink(broker.settings, "edge", name="edge")
    async with running(link):
        assert await link.publish(AVAILABILITY, b"online", retain=True)
        # A publish that is answered may still be on its way to Mosquitto's file.
        await asyncio.sleep(1.5)
    broker.kill()
    broker.start()
    # A nats-server that has just started may still be reading what it kept when the first one asks.
    for number in range(5):
        reader = MqttLink(
            broker.settings, f"reader-{number}", name="reader", subscriptions=[AVAILABILITY]
        )
        async with running(reader) as got:
            with contextlib.suppress(TimeoutError):
                assert await get(got, 3) == Message(AVAILABILITY, b"online", retained=True)
                return
    raise AssertionError("the retained word is lost")


async def vanish(broker: Broker, will: Will, expiry_s: int = SESSION_EXPIRY_S) -> MqttLink:
    """Connect with a will, and lose the connection without a goodbye."""
    link = MqttLink(broker.settings, "edge", name="edge", will=will, session_expiry_s=expiry_s)
    async with running(link):
        client = link._client
        assert client is not None
        sock = client._client.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)
        async with asyncio.timeout(10):
            while link.connected:  # noqa: ASYNC110 -- the library tells only its own reader
                await asyncio.sleep(0.01)
        link._will = None  # no goodbye of our own either
    return link


async def test_an_edge_that_is_back_before_its_will_was_never_gone(mosquitto: Mosquitto) -> None:
    will = Will(AVAILABILITY, b"offline")
    reader = MqttLink(mosquitto.settings, "reader", name="reader", subscriptions=[AVAILABILITY])
    async with running(reader) as got:
        for expiry_s, flaps in ((SESSION_EXPIRY_S, False), (0, True)):
            await vanish(mosquitto, will, expiry_s)
            back = MqttLink(
                mosquitto.settings, "edge", name="edge", will=will, session_expiry_s=expiry_s
            )
            async with running(back):
                assert await back.publish(AVAILABILITY, b"online", retain=True)
                words = [(await get(got)).payload]
                if flaps:
                    words.append((await get(got)).payload)
                # Without a session and its delay the will is told at once.
                assert words == ([b"offline", b"online"] if flaps else [b"online"])
                if not flaps:
                    await asyncio.sleep(WILL_DELAY_S + 0.5)
                    assert got.messages.empty()
            assert (await get(got)).payload == b"offline"  # its goodbye


async def test_an_edge_that_does_not_come_back_is_told_to_be_gone(broker: Broker) -> None:
    reader = MqttLink(broker.settings, "reader", name="reader", subscriptions=[AVAILABILITY])
    async with running(reader) as got:
        link = await vanish(broker, Will(AVAILABILITY, b"offline"))
        assert not link.connected
        assert (await get(got)).payload == b"offline"
