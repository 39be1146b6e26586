"""What may happen to a world, in any order."""

from __future__ import annotations

from contextlib import ExitStack

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from typing_extensions import override

from laundryd.wire.commands import CommandName
from laundryd.wire.phases import Phase
from tests.model.broker import Mode
from tests.model.pages import Page
from tests.model.people import MEMBERS
from tests.model.programs import EdgeProcess, RelayProcess
from tests.model.promises import check_all
from tests.model.world import World

MACHINES = st.sampled_from(["w1", "w2", "d1"])
WORDS: dict[Phase, list[CommandName]] = {
    Phase.FREE: [CommandName.START, CommandName.CLAIM, CommandName.WATCH],
    Phase.CLAIMED: [CommandName.ARRIVE, CommandName.START, CommandName.RELEASE, CommandName.WATCH],
    Phase.ARRIVED: [CommandName.START, CommandName.RELEASE, CommandName.WATCH],
    Phase.IN_USE: [CommandName.WATCH, CommandName.EXTEND, CommandName.RELEASE, CommandName.ADOPT],
    Phase.FINISHED: [
        CommandName.COLLECT,
        CommandName.REQUEST_PICKUP,
        CommandName.COMING,
        CommandName.MUTE_PICKUP,
        CommandName.ADOPT,
    ],
    Phase.OUT_OF_ORDER: [CommandName.UNWATCH],
}
"""What a resident would say of a machine, by its phase; whose it is they find out."""
WAYS = st.sampled_from(["edge up", "edge down", "relay up", "relay down"])
PROGRAMS = st.sampled_from(["edge", "relay"])
PAGES = st.integers(0, 3)
INDEX = st.integers(0, 9)
SOON = st.sampled_from([0.0, 0.02, 0.3])
SECONDS = st.sampled_from([0.0, 0.004, 0.02, 0.1, 0.7, 3.0, 7.0, 12.0, 40.0, 70.0, 150.0])
SKEW_S = st.sampled_from([0.0, 0.0, -30.0, 30.0, -3_600.0, -1_200.0, 1_200.0, 3_600.0])
"""By how much a computer's clock is wrong."""


class RoomAndCloud(RuleBasedStateMachine):
    """One run: break what you like; at the end everything is mended, and all promises must hold."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.world: World

    @initialize(is_small=st.booleans(), room_s=SKEW_S, relay_s=SKEW_S)
    def begin(self, *, is_small: bool, room_s: float, relay_s: float) -> None:
        world = World(is_small=is_small)
        world.edge.watch.ahead_s, world.relay.watch.ahead_s = room_s, relay_s
        self.world = self._stack.enter_context(world)

    @override
    def teardown(self) -> None:
        with self._stack:
            if hasattr(self, "world"):
                check_all(self.world)

    # -- people

    @rule(page=PAGES, machine=MACHINES, word=st.integers(0, 4), seconds=SOON)
    def say(self, page: int, machine: str, word: int, seconds: float) -> None:
        shown = self._page(page).machines.get(machine)
        if shown is None:
            return
        words = WORDS[shown.phase]
        name = words[word % len(words)]
        takes_minutes = name in {CommandName.START, CommandName.EXTEND}
        self.world.say(self._page(page), machine, name, 1 if takes_minutes else None)
        self.world.advance(seconds)

    @rule(resident=st.sampled_from(MEMBERS), machine=MACHINES, seconds=SOON)
    def do_at_the_machine(self, resident: str, machine: str, seconds: float) -> None:
        """Start, or collect, or give back: in the room itself, whatever the networks do."""
        if self.world.has(machine):
            self.world.at_the_machine(resident, machine)
            self.world.advance(seconds)

    @rule(resident=st.sampled_from(MEMBERS), machine=MACHINES)
    def wash(self, resident: str, machine: str) -> None:
        """Start, and wait until it is nearly done."""
        if self.world.has(machine):
            self.world.at_the_machine(resident, machine)
            self.world.advance(59.9)

    @rule(machine=MACHINES)
    def turn_over_quickly(self, machine: str) -> None:
        """Some changes within a moment."""
        for resident in MEMBERS:
            if self.world.has(machine):
                self.world.at_the_machine(resident, machine)

    @rule(page=PAGES, visible=st.booleans())
    def look(self, page: int, *, visible: bool) -> None:
        self.world.do(self._page(page).look, visible=visible)

    @rule(page=PAGES, shows=st.booleans())
    def hang(self, page: int, *, shows: bool) -> None:
        self._page(page).shows_notices = shows

    @rule(page=PAGES)
    def leave(self, page: int) -> None:
        self.world.do(self._page(page).leave)

    @rule(page=PAGES)
    def come_back(self, page: int) -> None:
        self.world.do(self._page(page).open)

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.world.advance(seconds)

    # -- between page and program

    @rule(page=PAGES, server_hears=st.booleans(), page_hears=st.booleans())
    def cut_socket(self, page: int, *, server_hears: bool, page_hears: bool) -> None:
        socket = self._page(page).socket
        if socket is not None:
            self.world.do(socket.cut, server_hears=server_hears, page_hears=page_hears)

    @rule(page=PAGES, is_stalled=st.booleans())
    def stall_socket(self, page: int, *, is_stalled: bool) -> None:
        socket = self._page(page).socket
        if socket is None:
            return
        if is_stalled:
            socket.stalled = True
        else:
            self.world.do(socket.read_on)

    @rule(page=PAGES, seconds=st.sampled_from([0.001, 0.02, 0.4, 5.0]))
    def slow_http(self, page: int, seconds: float) -> None:
        self._page(page).http_s = seconds

    # -- between programs and broker

    @rule(way=WAYS, mode=st.sampled_from([Mode.HOLD, Mode.HOLD, Mode.LOSE]))
    def trouble_way(self, way: str, mode: Mode) -> None:
        self.world.broken()
        self.world.broker.way(way).mode = mode

    @rule(way=WAYS)
    def mend_way(self, way: str) -> None:
        self.world.do(self.world.broker.way(way).flow)
        self.world.do(self.world.broker.let_in)

    @rule(way=WAYS, index=INDEX, keep=st.booleans())
    def deliver_one(self, way: str, index: int, *, keep: bool) -> None:
        self.world.do(self.world.broker.way(way).deliver, index, keep=keep)

    @rule(way=WAYS, index=INDEX)
    def lose_one(self, way: str, index: int) -> None:
        self.world.broken()
        self.world.broker.way(way).lose(index)

    @rule(program=PROGRAMS, with_will=st.booleans())
    def lose_connection(self, program: str, *, with_will: bool) -> None:
        self.world.broken()
        self.world.do(self.world.broker.lose_connection, program, with_will=with_will)

    @rule(forget=st.booleans())
    def stop_broker(self, *, forget: bool) -> None:
        self.world.broken()
        self.world.do(self.world.broker.stop, forget=forget)

    @rule()
    def start_broker(self) -> None:
        self.world.do(self.world.broker.start)

    # -- programs

    @rule(program=PROGRAMS, pages_hear=st.booleans())
    def kill(self, program: str, *, pages_hear: bool) -> None:
        self.world.kill(self._program(program), pages_hear=pages_hear)

    @rule(program=PROGRAMS)
    def start(self, program: str) -> None:
        self.world.start(self._program(program))

    @rule(program=PROGRAMS)
    def restart(self, program: str) -> None:
        self.world.kill(self._program(program))
        self.world.start(self._program(program))

    @rule()
    def lose_store(self) -> None:
        self.world.lose_store()

    @rule(program=PROGRAMS)
    def back_up(self, program: str) -> None:
        self.world.back_up(self._program(program))

    @rule(whole=st.booleans())
    def restore_room(self, *, whole: bool) -> None:
        """An older store is put back, at any moment; the room is stopped for it, or was killed before."""
        self.world.restore(self.world.edge, whole=whole)
        self.world.start(self.world.edge)
        self.world.advance(3)

    @rule()
    def restore_relay(self) -> None:
        self.world.restore(self.world.relay)
        self.world.start(self.world.relay)

    @rule(changes=st.integers(1, 3))
    def restore_relay_unheard(self, changes: int) -> None:
        """The relay is put back to just before, and no room is there to bring what came since."""
        world, process = self.world, self.world.relay
        world.back_up(process)
        for _ in range(changes):
            if world.has("w1"):
                world.at_the_machine("cleo", "w1")
        world.advance(0.5)
        self.stop_broker(forget=False)
        world.kill(process)
        world.restore(process)
        world.start(process)
        world.advance(3)

    @rule(seconds=SKEW_S)
    def set_room_clock(self, seconds: float) -> None:
        self.world.set_room_clock(seconds)

    @rule(seconds=SKEW_S)
    def set_relay_clock(self, seconds: float) -> None:
        self.world.set_relay_clock(seconds)

    @rule(slugs=st.sampled_from([("w1",), ("w1", "w2"), ("w1", "w2", "d1")]))
    def change_machines(self, slugs: tuple[str, ...]) -> None:
        """A machine leaves the settings, or comes back to them; the room is started anew for it."""
        self.world.change_machines(slugs)

    @rule(program=PROGRAMS, seconds=st.sampled_from([0.0, 0.0, 0.003, 0.05]))
    def slow_disk(self, program: str, seconds: float) -> None:
        self.world.disks.delay_s[self._program(program).database] = seconds

    @rule(is_full=st.booleans())
    def fill_disk(self, *, is_full: bool) -> None:
        """The room's disk takes nothing more, or does again."""
        full, path = self.world.disks.full, self.world.edge.database
        if is_full:
            full.add(path)
        else:
            full.discard(path)

    @rule(is_out=st.booleans())
    def push_outage(self, *, is_out: bool) -> None:
        self.world.push.is_out = is_out

    # -- inside

    def _page(self, index: int) -> Page:
        return self.world.pages[index]

    def _program(self, name: str) -> EdgeProcess | RelayProcess:
        return self.world.edge if name == "edge" else self.world.relay
