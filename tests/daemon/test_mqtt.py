import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from laundryd.daemon.mqtt import Message, MqttLink, Will
from laundryd.demo.broker import Mosquitto


class Probe:
    """A link with what came over it, to be awaited."""

    def __init__(self, link: MqttLink) -> None:
        self.link = link
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.connects: asyncio.Queue[None] = asyncio.Queue()
        self.losses: asyncio.Queue[None] = asyncio.Queue()

    async def greet(self) -> None:
        self.connects.put_nowait(None)

    async def run(self) -> None:
        await self.link.run(
            self.messages.put_nowait, self.greet, lambda: self.losses.put_nowait(None)
        )


@asynccontextmanager
async def running(link: MqttLink) -> AsyncIterator[Probe]:
    probe = Probe(link)
    task = asyncio.create_task(probe.run())
    try:
        async with asyncio.timeout(20):
            await probe.connects.get()
        yield probe
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_published_message_arrives(mosquitto: Mosquitto) -> None:
    reader = MqttLink(mosquitto.settings, "reader", name="reader", subscriptions=["a/+"])
    writer = MqttLink(mosquitto.settings, "writer", name="writer")
    async with running(reader) as got, running(writer) as sent:
        assert await sent.link.publish("a/b", b"x")
        async with asyncio.timeout(10):
            assert await got.messages.get() == Message("a/b", b"x", retained=False)


async def test_publishing_offline_says_so(mosquitto: Mosquitto) -> None:
    link = MqttLink(mosquitto.settings, "alone", name="alone")
    assert not link.connected
    assert await link.publish("a/b", b"x") is False


async def test_a_broker_that_comes_back_is_greeted_again(mosquitto: Mosquitto) -> None:
    link = MqttLink(mosquitto.settings, "again", name="again", subscriptions=["a/+"])
    async with running(link) as probe:
        mosquitto.kill()
        async with asyncio.timeout(10):
            await probe.losses.get()
        mosquitto.start()
        async with asyncio.timeout(20):
            await probe.connects.get()
        assert await probe.link.publish("a/b", b"again")
        async with asyncio.timeout(10):
            assert (await probe.messages.get()).payload == b"again"


async def test_leaving_on_purpose_says_the_will(mosquitto: Mosquitto) -> None:
    will = Will("a/availability", b"offline")
    reader = MqttLink(mosquitto.settings, "reader", name="reader", subscriptions=["a/+"])
    async with running(reader) as got:
        async with running(MqttLink(mosquitto.settings, "edge", name="edge", will=will)):
            pass
        async with asyncio.timeout(10):
            assert (await got.messages.get()).payload == b"offline"
