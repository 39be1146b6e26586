"""Who looks, and how long a hold lasts, over a lost connection and a clock that is set."""

from __future__ import annotations

import asyncio

import pytest

from edge.link.uplink import Uplink
from edge.room.decision import Accepted
from laundryd.wire.commands import CommandName
from laundryd.wire.phases import Phase
from laundryd.wire.uplink import DownHello
from tests.model.pages import Page
from tests.model.twins import loses, survives
from tests.model.world import World


def a_room_comes_back_while_somebody_looks(world: World) -> None:
    """The room's page is all that they have open; the broker says that the edge was gone for a moment."""
    page, elsewhere = world.pages[0], world.pages[2]
    world.at_the_machine("anna", "w1")
    world.do(elsewhere.leave)
    world.advance(20)
    world.do(world.broker.lose_connection, "edge", with_will=True)
    world.advance(20)
    pushed = len(world.push.taken)
    world.advance(30)
    assert page.welcomed
    assert phase_on(page) is Phase.FINISHED
    assert len(world.push.taken) == pushed, "a push to who looks"


def test_presence_is_said_whole_after_each_greeting() -> None:
    survives(a_room_comes_back_while_somebody_looks)
    greeted = Uplink._greeted

    async def silently(self: Uplink, hello: DownHello) -> None:
        changed = self._presence_changed
        if self._presence_seq:
            self._presence_changed = asyncio.Event()  # that nobody waits for
        await greeted(self, hello)
        self._presence_changed = changed

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Uplink, "_greeted", silently)

    loses(a_room_comes_back_while_somebody_looks, switch, found="a push to who looks")


def phase_on(page: Page) -> Phase:
    return page.machines["w1"].phase


def a_clock_is_set_while_a_machine_is_held(world: World) -> None:
    page = world.pages[0]
    world.say(page, "w1", CommandName.CLAIM)
    world.advance(1)
    world.set_room_clock(1_200.0)
    world.advance(10)
    assert phase_on(page) is Phase.CLAIMED, "the hold ended before its time"
    world.advance(60)
    assert phase_on(page) is Phase.FREE


def test_a_clock_that_is_set_moves_every_kept_moment() -> None:
    survives(a_clock_is_set_while_a_machine_is_held)

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("edge.writer.clock_set", lambda *_: Accepted(()))

    loses(a_clock_is_set_while_a_machine_is_held, switch, found="before its time")
