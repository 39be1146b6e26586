"""Mechanisms of the uplink that prevent a loss, and beside it the loss; ``test_outbox.py`` has more."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta

import pytest

from edge.link import outbox
from edge.link.outbox import RESEND_S, Outbox
from edge.link.uplink import Uplink
from laundryd.wire.commands import UpAnswer
from laundryd.wire.topics import Topic
from laundryd.wire.uplink import DownAck, DownHello, UpHello
from tests.edge.link.conftest import Link
from tests.edge.link.relay_model import Without, World
from tests.edge.link.test_uplink import synced


@pytest.fixture(params=[True, False], ids=["as it is", "without it"])
def is_on(request: pytest.FixtureRequest) -> bool:
    """Whether the mechanism works; without it the test shows what goes wrong."""
    return bool(request.param)


def deliver_all(world: World) -> None:
    while world.up or world.down:
        world.deliver_up(0)
        world.deliver_down(0)


def test_what_is_not_answered_is_said_again(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        monkeypatch.setattr(outbox, "RESEND_S", math.inf)
    world = World()
    world.connect()
    world.heal()
    world.append()
    world.lose(1)  # the batch, on its way up
    assert not world.up
    world.pass_time(RESEND_S)
    deliver_all(world)
    assert world.relay.serials == ([1] if is_on else []), "nothing is said until the link breaks"


def test_a_relay_that_keeps_more_begins_a_new_epoch(
    monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    """Without names of runs, as for a relay that does not know them; the head alone tells it."""
    greeted, acknowledged = Outbox.greeted, Outbox.acknowledged

    def believes(self: Outbox, hello: DownHello, **_: bool) -> bool:
        acked = None if hello.acked is None else min(hello.acked, self.head.offset)
        return greeted(self, hello.model_copy(update={"acked": acked}))

    def takes_it(self: Outbox, ack: DownAck) -> bool:
        offset = min(ack.offset, self.head.offset)
        return acknowledged(self, ack.model_copy(update={"offset": offset}))

    if not is_on:
        monkeypatch.setattr(Outbox, "greeted", believes)
        monkeypatch.setattr(Outbox, "acknowledged", takes_it)
    world = World(Without(runs=True))
    world.connect()
    world.heal()
    backup = world.journal.copy()
    world.append()
    world.append()
    world.heal()
    world.restore_edge(backup)
    world.connect()
    deliver_all(world)
    for _ in range(2):  # under numbers that the relay has for others
        world.append()
    for _ in range(4):
        world.pass_time(RESEND_S)
        deliver_all(world)
    assert ({3, 4} <= set(world.relay.serials)) is is_on


def test_a_relay_that_connects_asks_for_a_word(*, is_on: bool) -> None:
    world = World(Without(renewals=True))
    world.connect()
    world.heal()
    before = world.relay.copy()
    world.append()
    world.heal()
    world.restore_relay(before)
    if is_on:
        world.restart_relay()  # connects, and asks
    deliver_all(world)
    assert world.relay.serials == ([1] if is_on else []), "an idle edge has nothing to say"


async def test_a_command_waits_until_the_relays_time_is_known(
    link: Link, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
    link.relay.ahead = timedelta(hours=1)  # than an edge whose clock was not set at its restart
    if not is_on:
        answer = Uplink._answer

        async def at_once(self: Uplink, request: object) -> None:
            self._is_sure = True
            await answer(self, request)  # type: ignore[arg-type]  # as it came

        monkeypatch.setattr(Uplink, "_answer", at_once)
    asking = asyncio.create_task(link.relay.command("kept", expires_in_s=-1))
    await asyncio.sleep(0.2)  # the broker keeps it for an edge that is away
    async with link.edge() as edge:
        done = (await asking).answer.ok
        owner = edge.writer.state.machines["w1"].owner
    assert (done, owner is None) == (not is_on, is_on), "an hour after its resident was told no"


async def command_after_the_relays_clock_was_set(link: Link) -> UpAnswer:
    """Set the relay's clock an hour ahead; it asks for a hello, and a command comes that expired."""
    greet = link.relay._hello

    async def over_a_slow_way(hello: UpHello) -> None:
        await asyncio.sleep(0.3)
        await greet(hello)

    link.relay._hello = over_a_slow_way  # type: ignore[method-assign]  # this relay's alone
    link.relay.ahead = timedelta(hours=1)
    assert link.relay.kept is not None
    nudge = DownAck(epoch=link.relay.kept.epoch, offset=link.relay.kept.offset, send_from=1)
    await link.relay.say(Topic.DOWN_ACK, nudge)
    return await link.relay.command("kept", expires_in_s=-1)


async def test_a_command_waits_until_a_clock_that_may_be_set_is_measured_anew(
    link: Link, monkeypatch: pytest.MonkeyPatch, *, is_on: bool
) -> None:
    if not is_on:
        acknowledged = Uplink._acknowledged

        def believes(self: Uplink, ack: DownAck) -> None:
            acknowledged(self, ack)
            self._is_sure = True

        monkeypatch.setattr(Uplink, "_acknowledged", believes)
    async with link.edge() as edge:
        await synced(link, edge)
        done = (await command_after_the_relays_clock_was_set(link)).answer.ok
        owner = edge.writer.state.machines["w1"].owner
    assert (done, owner is None) == (not is_on, is_on), "after its resident was told no"
