"""Ingest against a real broker, with the real link on both sides."""

from __future__ import annotations

from pathlib import Path

from cloud_relay.ingest.uplink import Ingest
from laundryd.daemon.mqtt import Message, MqttLink, Will
from laundryd.demo.broker import Mosquitto
from laundryd.wire.topics import Topic, topic_filter, topic_name
from laundryd.wire.uplink import DownAck, UpEvents
from tests.cloud_relay.world import (
    EPOCH,
    REF,
    RELAY_ID,
    ROOM,
    HandClock,
    World,
    entry,
    eventually,
    hello,
    notice,
    relay,
    running,
    snapshot,
)

AVAILABILITY = topic_name(REF, Topic.AVAILABILITY)


class Edge:
    """An edge's end of the link: says what it is told to say and keeps the answers."""

    def __init__(self, mosquitto: Mosquitto) -> None:
        self.heard: list[Message] = []
        self.link = MqttLink(
            mosquitto.settings,
            "edge",
            name="edge",
            subscriptions=[
                topic_filter(topic, REF) for topic in (Topic.DOWN_ACK, Topic.DOWN_HELLO)
            ],
            will=Will(AVAILABILITY, b"offline"),
        )

    async def online(self) -> None:
        await self.link.publish(AVAILABILITY, b"online", retain=True)

    @property
    def acks(self) -> list[DownAck]:
        return [
            DownAck.model_validate_json(message.payload)
            for message in self.heard
            if message.topic.endswith("down/ack")
        ]

    async def say(self, topic: Topic, payload: bytes) -> None:
        await self.link.publish(topic_name(REF, topic), payload)


def listen(world: World, mosquitto: Mosquitto) -> tuple[MqttLink, Ingest]:
    link = MqttLink(
        mosquitto.settings, RELAY_ID, name="relay", subscriptions=Ingest.subscriptions(RELAY_ID)
    )
    world.ingest._handlers._link = link
    return link, world.ingest


async def test_from_hello_to_acknowledged_events_and_through_the_relays_death(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    path, clock = tmp_path / "relay.db", HandClock()
    edge = Edge(mosquitto)
    batch = UpEvents(entries=[entry(1, notices=[notice(1)])], caught_up=True)
    async with running(edge.link.run(edge.heard.append, edge.online)):
        async with relay(path, clock=clock) as world:
            await world.rooms.enroll(ROOM, "Basement")
            link, ingest = listen(world, mosquitto)
            async with running(
                link.run(ingest.on_message, ingest.on_connect, ingest.on_disconnect),
                ingest.run(),
            ):
                await eventually(lambda: world.rooms.edge(ROOM).online, "the retained availability")
                await edge.say(Topic.UP_HELLO, hello(0).model_dump_json().encode())
                await edge.say(Topic.UP_SNAPSHOT, snapshot(0).model_dump_json().encode())
                for _ in range(3):
                    await edge.say(Topic.UP_EVENTS, batch.model_dump_json().encode())
                await eventually(lambda: len(edge.acks) == 4, "an answer to each")
            assert [event.offset for event in world.live.events if event.offset] == [1]
            assert world.planner.counts["planned"] == 1
        edge.heard.clear()
        async with relay(path, clock=clock) as reborn:
            link, ingest = listen(reborn, mosquitto)
            async with running(
                link.run(ingest.on_message, ingest.on_connect, ingest.on_disconnect),
                ingest.run(),
            ):
                await eventually(lambda: bool(edge.acks), "the nudge at the connect")
                assert edge.acks[0] == DownAck(epoch=EPOCH, offset=1, send_from=2)
                await edge.say(Topic.UP_EVENTS, batch.model_dump_json().encode())
                await eventually(lambda: len(edge.acks) == 2, "the answer")
                assert reborn.live.events == []
                await edge.link.publish(AVAILABILITY, b"offline", retain=True)
                await eventually(lambda: not reborn.rooms.edge(ROOM).online, "the edge's leave")


async def test_a_lost_broker_makes_the_rooms_offline_only_after_a_while(
    mosquitto: Mosquitto,
) -> None:
    async with relay(None) as world:
        await world.begin()
        link, ingest = listen(world, mosquitto)
        async with running(
            link.run(ingest.on_message, ingest.on_connect, ingest.on_disconnect), ingest.run()
        ):
            await eventually(lambda: link.connected, "the connect")
            mosquitto.stop()
            await eventually(lambda: not link.connected, "the loss")
            assert world.rooms.edge(ROOM).online
            await eventually(lambda: not world.rooms.edge(ROOM).online, "the grace", 15)
