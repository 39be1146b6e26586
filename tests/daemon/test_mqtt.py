import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from laundryd.daemon import mqtt
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


async def test_a_cancellation_that_comes_with_the_answer_is_not_lost(
    mosquitto: Mosquitto,
) -> None:
    class Answering:
        """A client whose broker's answer and whose cancellation come in the same turn of the loop."""

        async def publish(self, *_args: object, **_options: object) -> None:
            answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            task = asyncio.current_task()
            assert task is not None

            def both() -> None:
                answer.set_result(None)
                task.cancel()

            asyncio.get_running_loop().call_soon(both)
            # Returns normally before Python 3.12, as the library's own calls do.
            await asyncio.wait_for(answer, 5)

    link = MqttLink(mosquitto.settings, "stopping", name="stopping")
    link._client = Answering()  # type: ignore[assignment]  # the one call that is made of it
    task = asyncio.create_task(link.publish("a/b", b"x"))
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled()


async def test_a_publish_fails_with_its_broker_and_not_at_its_timeout(mosquitto: Mosquitto) -> None:
    link = MqttLink(mosquitto.settings, "widow", name="widow")
    async with running(link) as probe:
        os.kill(mosquitto.pid, signal.SIGSTOP)
        sending = [asyncio.create_task(link.publish("a/b", b"x")) for _ in range(20)]
        done, _ = await asyncio.wait(sending, timeout=0.1)
        assert not done, "more than may be under way at once, and nobody confirms any"
        mosquitto.kill()
        async with asyncio.timeout(5):
            await probe.losses.get()
            assert await asyncio.gather(*sending) == [False] * 20
        mosquitto.start()
        async with asyncio.timeout(20):
            await probe.connects.get()
        assert await link.publish("a/b", b"x")


async def test_a_connection_that_is_lost_just_as_a_publish_gives_up_ends_nothing(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "PUBLISH_TIMEOUT_S", 0.3)
    link = MqttLink(mosquitto.settings, "unlucky", name="unlucky")
    async with running(link) as probe:
        os.kill(mosquitto.pid, signal.SIGSTOP)
        client = link._client
        assert client is not None
        publish = client.publish

        async def given_up(*args: object, **more: object) -> None:
            try:
                await publish(*args, **more)  # type: ignore[arg-type]  # as it was called
            finally:
                link._lost()  # as ``run`` does in the turn in which the patience has run out

        monkeypatch.setattr(client, "publish", given_up)
        assert not await link.publish("a/b", b"x")
        mosquitto.kill()
        mosquitto.start()
        async with asyncio.timeout(20):
            await probe.connects.get()
        assert await link.publish("a/b", b"x")
