"""Ingest against a real broker, with the real link on both sides."""

from __future__ import annotations

import asyncio
from pathlib import Path

from cloud_relay.ingest.uplink import Ingest
from cloud_relay.rooms.leases import FIRST_WORD_S
from laundryd.daemon.mqtt import Message, MqttLink, Will
from laundryd.demo.broker import Mosquitto
from laundryd.wire.topics import Topic, topic_filter, topic_name
from laundryd.wire.uplink import DownAck, UpEvents
from tests.cloud_relay.world import (
    EPOCH,
    ME,
    REF,
    RELAY_ID,
    ROOM,
    HandClock,
    World,
    entry,
    eventually,
    hello,
    notice,
    presence,
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
            ack
            for message in self.heard
            if message.topic.endswith("down/ack")
            and (ack := DownAck.model_validate_json(message.payload)).epoch == EPOCH
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


async def test_an_edge_that_dies_while_the_broker_is_down_lapses_though_it_is_said_to_be_online(
    mosquitto: Mosquitto,
) -> None:
    async with relay(None) as world:
        await world.begin()
        link, ingest = listen(world, mosquitto)
        edge = Edge(mosquitto)
        async with running(
            link.run(ingest.on_message, ingest.on_connect, ingest.on_disconnect), ingest.run()
        ):
            async with running(edge.link.run(edge.heard.append, edge.online)):
                await eventually(lambda: edge.link.connected, "the edge's connect")
                await eventually(ingest._connected.is_set, "the relay's connect")
                await edge.say(Topic.UP_HELLO, hello(0).model_dump_json().encode())
                await edge.say(Topic.UP_PRESENCE, presence(1).model_dump_json().encode())
                await eventually(lambda: world.edges.attentive(ME), "who is there")
                # Mosquitto writes its file once a second: the retained word must be in it.
                await asyncio.sleep(1.5)
                mosquitto.kill()
                await eventually(lambda: not edge.link.connected, "the broker's death")
                await eventually(lambda: not link.connected, "the broker's death at the relay")
                words = ingest.taken[Topic.AVAILABILITY]
                # And now the edge, whom nobody hears.
            mosquitto.start()
            await eventually(lambda: link.connected, "the broker's return", 20)
            await eventually(ingest._connected.is_set, "the relay's notice of it")
            await eventually(
                lambda: ingest.taken[Topic.AVAILABILITY] > words and not ingest.waiting,
                "the retained word",
            )
            assert world.rooms.edge(ROOM).online, "so the broker says"
            world.clock.forward(FIRST_WORD_S)
            await eventually(lambda: not world.rooms.edge(ROOM).online, "the lease's end")
            assert not world.edges.open(ME)
