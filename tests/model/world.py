"""The whole of it: a room's edge, the cloud's broker and relay, pages at both, and all that can fail.

Everything that decides or keeps is the product's own; simulated are time, the broker, the sockets, the
push services and the threads of SQLite. A world is built anew for each run and closed after it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import aiosqlite
import pytest

import cloud_relay.app
import cloud_relay.rooms.store
import edge.app
import edge.link.uplink
import edge.store.carrying
import edge.store.room_store
from cloud_relay.api.services import Services
from edge.local.api import LocalRoom
from edge.store.witness import witness_path
from laundryd.live.server import LiveServer
from laundryd.wire.commands import CommandName, CommandParams, ResidentCommand
from laundryd.wire.events import Entry
from laundryd.wire.phases import Phase
from tests.model.broker import Broker
from tests.model.disks import Disks, KilledError
from tests.model.loop import SimulatedLoop
from tests.model.pages import Page
from tests.model.people import STRANGER, house, memory_folder, relay_settings
from tests.model.programs import ROOM, EdgeProcess, Process, PushServices, RelayProcess

MACHINES: Final[list[dict[str, object]]] = [
    {"id": "w1", "kind": "washer", "name": "Washer 1"},
    {"id": "w2", "kind": "washer", "name": "Washer 2"},
    {"id": "d1", "kind": "dryer", "name": "Dryer 1"},
]
SMALL_LIVE: Final[dict[str, object]] = {"replay_max": 4, "queue_max": 6, "batch_max": 2}
"""Settings of the session servers, past which a short run gets."""
REST_S: Final = 300.0
"""Simulated seconds within which everything comes to rest once nothing is broken any more."""


class NumberReusedError(AssertionError):
    """The room gave a number to two different entries."""


class NeverAtRestError(AssertionError):
    """Everything works, and yet somebody has not got what there is."""


class World:
    """Use it with ``with``. ``accepted`` is what the room ever committed, by epoch and offset.

    ``is_small``: everything that is bounded holds so little that a short run gets past it.
    """

    def __init__(self, *, is_small: bool = False) -> None:
        self.is_small = is_small
        self.folder = memory_folder()
        built = house()
        shutil.copytree(built.folder, self.folder / "relay")
        self.loop = SimulatedLoop()
        self.loop.set_exception_handler(self._fault_in_callback)
        self.disks, self.broker, self.push = Disks(), Broker(), PushServices()
        live: dict[str, object] = SMALL_LIVE if is_small else {}
        self.edge = EdgeProcess(
            self.loop,
            self.disks,
            self.folder / "edge",
            built.enrolment,
            machines=MACHINES,
            live=live,
        )
        self.relay = RelayProcess(
            self.loop, self.disks, relay_settings(self.folder / "relay", live)
        )
        self.accepted: dict[tuple[str, int], Entry] = {}
        self.accepted_at_s: dict[tuple[str, int], float] = {}
        self._words = 0
        self.clock_was_set = False
        self.rest_s = REST_S
        self.mended: list[tuple[float, frozenset[str]]] = []
        """When the links were mended, and which notices the relay knew then."""
        self.restores = 0
        """How often the relay lost what it knew, other than by a kill."""
        self.lost_epochs: set[str] = set()
        """Epochs whose last entries the room lost, with its store or its memory."""
        self.lost_notices: set[str] = set()
        """Notices that went with a store before another one had them."""
        self.ended_epochs: set[str] = set()
        """Epochs that the room left: a snapshot stands for what the relay did not have of them, and what
        residents are still to be told goes over, as far as that is bounded."""
        self._epoch = ""
        self.superseded: set[tuple[str, int]] = set()
        """Entries that the room dropped before the relay had them: a snapshot stands for them."""
        self.overwritten: list[Entry] = []
        """What an older store took back and numbered anew."""
        self.faults: list[BaseException] = []
        self.fault_s = self.loop.time()
        """When something was broken last."""
        self.pages = [
            Page("anna-room", "anna", built.room_tokens["anna"], ROOM.key, self.edge),
            Page("ben-room", "ben", built.room_tokens["ben"], ROOM.key, self.edge),
            Page("anna-away", "anna", built.relay_tokens["anna"], ROOM.key, self.relay),
            Page("ben-away", "ben", built.relay_tokens["ben"], ROOM.key, self.relay),
        ]
        self.stranger = Page(
            "zoe-away", STRANGER, built.relay_tokens[STRANGER], ROOM.key, self.relay
        )
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> Self:
        logging.disable(logging.CRITICAL)
        patch = self._patch
        # Names of epochs and words: what is ordered by them must be so each time.
        dice = random.Random(0)  # noqa: S311 -- no secret of anybody's
        patch.setattr(secrets, "token_hex", lambda count=16: dice.randbytes(count).hex())
        patch.setattr(aiosqlite, "connect", self.disks.connect)
        patch.setattr(edge.app, "MqttLink", self.broker.make_link)
        patch.setattr(edge.app, "make_api", self._edge_made)
        patch.setattr(cloud_relay.app, "MqttLink", self.broker.make_link)
        patch.setattr(cloud_relay.app, "web_side", self._relay_made)
        patch.setattr(cloud_relay.app, "WebPushSender", lambda *_args, **_more: self.push)
        if self.is_small:
            patch.setattr(edge.store.room_store, "KEPT_ACKNOWLEDGED", 3)
            # In the product's proportions: what goes over into a new epoch leaves room in its journal.
            patch.setattr(edge.store.room_store, "UNACKNOWLEDGED_MAX", 12)
            patch.setattr(edge.store.carrying, "NOTICES_MAX", 4)
            patch.setattr(edge.store.carrying, "ACKS_CARRIED_MAX", 4)
            patch.setattr(edge.link.uplink, "MAX_ENTRIES_A_BATCH", 2)
            patch.setattr(cloud_relay.rooms.store, "JOURNAL_EVENTS_MAX", 4)
            patch.setattr(cloud_relay.rooms.store, "JOURNAL_SLACK", 2)
        try:
            self.start(self.relay)
            self.start(self.edge)
            for page in (*self.pages, self.stranger):
                self.do(page.open)
            self.advance(3)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for process in (self.edge, self.relay):
            process.kill()
        self.loop.advance(0)
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.advance(0)
        self.loop.close()
        self._patch.undo()
        logging.disable(logging.NOTSET)
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- time

    def advance(self, seconds: float) -> None:
        """Let time pass; raise what a page or a program found wrong meanwhile."""
        self.loop.advance(seconds)
        if self.faults:
            raise self.faults[0]
        for process in (self.edge, self.relay):
            if process.crashes:
                raise process.crashes[0]

    def do(self, call: object, *args: object, **more: object) -> object:
        """Call something that needs the running loop, and let its direct consequences happen."""
        if not callable(call):
            raise TypeError(call)
        result: list[object] = []

        async def within() -> None:
            result.append(call(*args, **more))

        self.loop.finish(within())
        self.advance(0)
        return result[0]

    # -- programs

    def start(self, process: EdgeProcess | RelayProcess) -> None:
        """Start a program, unless it runs."""
        if process.running:
            return
        self.loop.finish(process.start())
        if process is self.edge:
            self._edge_started()
        self.advance(0)

    def kill(self, process: Process, *, pages_hear: bool = True) -> None:
        """Kill a program. ``pages_hear`` false: the power went, and nobody closed their connections."""
        if not process.running:
            return
        self.broken()
        if process is self.edge and not self.edge.store.durable:
            self.lost_epochs.add(self.edge.store.room.head.epoch)
            self._lost_what_the_relay_lacks()
        self.do(self._kill, process, pages_hear=pages_hear)
        if process is self.edge:
            self._collect()

    def set_room_clock(self, ahead_s: float) -> None:
        """Set the edge's wall clock; a running edge notices, another one when it starts."""
        self.clock_was_set = self.clock_was_set or ahead_s != self.edge.watch.ahead_s
        self.edge.watch.ahead_s = ahead_s
        if self.edge.running:
            self.loop.finish(self.edge.look_at_clock())

    def set_relay_clock(self, ahead_s: float) -> None:
        """Set the relay's wall clock; a running relay notices within seconds, another one when it starts."""
        self.relay.watch.ahead_s = ahead_s

    def change_machines(self, slugs: Sequence[str]) -> None:
        """Let the room's settings name these machines alone, and start it with them."""
        machines = [machine for machine in MACHINES if machine["id"] in slugs]
        if self.edge.set_machines(machines):
            # Others begin with a new epoch: what the relay did not have of this one, a snapshot tells.
            self.ended_epochs.add(self.edge.store.room.head.epoch)
            self.kill(self.edge)
            self.start(self.edge)

    def has(self, machine: str) -> bool:
        """Say whether the room runs and has ``machine``."""
        return self.edge.running and machine in self.edge.writer.state.machines

    def lose_store(self) -> None:
        """Kill the edge and lose its database; whoever starts it begins anew."""
        self._lost_epoch()
        self.kill(self.edge)
        self.disks.delete(self.edge.database)

    def back_up(self, process: Process) -> None:
        """Keep a copy of a program's database as it is committed now; it may be running."""
        if process.database.exists():
            self.disks.copy(process.database, self._backup_of(process))
            if process is self.edge:
                shutil.copyfile(witness_path(process.database), self._witness_backup)

    def restore(self, process: Process, *, whole: bool = False) -> None:
        """Stop a program and put its last backup, if there is one, in the place of its database.

        ``whole``: the room's witness is put back, too, as with its whole folder.
        """
        backup = self._backup_of(process)
        if not backup.exists():
            return
        if process is self.edge:
            self._lost_epoch()
            if process.running:
                self.loop.finish(self.edge.stop())
        else:
            self.restores += 1
            # Of what it had acknowledged, the room keeps only so much to send again.
            self.lost_notices |= set(self.rows(self.relay, "SELECT id FROM notices"))
        self.kill(process)
        self.disks.put_back(backup, process.database)
        if whole and process is self.edge:
            shutil.copyfile(self._witness_backup, witness_path(process.database))
        if process is self.edge:
            # One that it had left: it goes on with numbers that were given out before it did.
            self.lost_epochs |= {str(one) for one in self.rows(process, "SELECT epoch FROM meta")}

    def relay_has_all(self) -> bool:
        """Say whether the relay keeps everything that the room has accepted."""
        services = self.relay.services
        return services is not None and (
            services.rooms.position(ROOM.key) == self.edge.store.room.head.position
        )

    def _backup_of(self, process: Process) -> Path:
        return self.folder / f"{'edge' if process is self.edge else 'relay'}-backup.db"

    @property
    def _witness_backup(self) -> Path:
        return self.folder / "edge-backup.seen"

    def _lost_epoch(self) -> None:
        self.lost_epochs |= {str(one) for one in self.rows(self.edge, "SELECT epoch FROM meta")}
        self._collect()
        self._lost_what_the_relay_lacks()

    def _lost_what_the_relay_lacks(self) -> None:
        known = set(self.rows(self.relay, "SELECT id FROM notices"))
        wanted = {notice.id for entry in self.accepted.values() for notice in entry.notices}
        self.lost_notices |= wanted - known

    def broken(self) -> None:
        """Note that something is broken on purpose now."""
        self.fault_s = self.loop.time()

    def _kill(self, process: Process, *, pages_hear: bool) -> None:
        name = "edge" if process is self.edge else "relay"
        process.kill()
        for page in (*self.pages, self.stranger):
            if page.is_at(process) and page.socket is not None:
                page.socket.server_died(page_hears=pages_hear)
        self.broker.lose_connection(name)

    def _edge_made(self, room: LocalRoom) -> object:
        self.edge.api = room
        return _no_http

    def _relay_made(self, services: Services, live: LiveServer) -> object:
        del live
        self.relay.services = services
        return _no_http

    def _edge_started(self) -> None:
        def accepted(entries: list[Entry], _changes: object) -> None:
            for entry in entries:
                self._accept(entry)
            room = self.edge.store.room
            self.superseded |= {
                (room.head.epoch, offset) for offset in range(room.acked + 1, room.dropped + 1)
            }

        def began() -> None:
            self.ended_epochs.add(self._epoch)
            self._epoch = self.edge.store.room.head.epoch

        self._collect()
        shelf = self.edge.store.shelf
        for row in self.loop.finish(shelf.read("SELECT body FROM journal ORDER BY offset")):
            self._accept(Entry.model_validate_json(row["body"]))
        for epoch in self.rows(self.edge, "SELECT epoch FROM meta"):
            # One may end with the start itself: what it keeps can be more than may wait.
            self.ended_epochs |= {self._epoch} - {epoch}
            self._epoch = epoch
        if self._epoch != self.edge.store.room.head.epoch:
            began()
        self.edge.writer.on_entries.insert(0, accepted)
        self.edge.writer.on_new_epoch.insert(0, began)

    def _collect(self) -> None:
        """Read what was committed to the disk and perhaps never told."""
        for body in self.rows(self.edge, "SELECT body FROM journal ORDER BY offset"):
            self._accept(Entry.model_validate_json(body))

    def _accept(self, entry: Entry) -> None:
        key = (entry.epoch, entry.offset)
        before = self.accepted.get(key, entry)
        self.accepted[key] = entry
        self.accepted_at_s.setdefault(key, self.loop.time())
        if _content(before) == _content(entry):
            return
        if entry.epoch not in self.lost_epochs:
            raise NumberReusedError(f"{key} was {before} and is {entry}")
        # An older store was put back, and goes on with its numbers until it hears of it.
        self.overwritten.append(before)

    def rows(self, process: Process, query: str) -> list[str]:
        """Read the first column of what is committed in a program's database."""
        if not process.database.exists():
            return []
        database = sqlite3.connect(process.database)
        try:
            return [row[0] for row in database.execute(query)]
        finally:
            database.close()

    # -- what residents do

    def say(
        self, page: Page, machine: str, name: CommandName, minutes: int | None = None
    ) -> str | None:
        """Let a page say a word."""
        command_id = self.do(page.command, machine, name, CommandParams(minutes=minutes))
        return command_id if isinstance(command_id, str) else None

    def at_the_machine(self, resident: str, machine: str) -> None:
        """Let a resident do what comes next with a machine, at the room itself, and wait until it is kept."""
        record = self.edge.writer.state.machines[machine]
        next_word = {Phase.FREE: CommandName.START, Phase.FINISHED: CommandName.COLLECT}
        self._words += 1
        command = ResidentCommand(
            id=f"beside-{self._words}",
            resident=record.owner or resident,
            machine=machine,
            name=next_word.get(record.phase, CommandName.RELEASE),
            params=CommandParams(minutes=1 if record.phase is Phase.FREE else None),
        )
        self.loop.finish(self.edge.writer.command(command))
        self.advance(0)

    # -- the end

    def heal(self) -> None:
        """Mend everything, and wait until everybody has what there is.

        Raises:
            NeverAtRestError: somebody never got it.

        """
        self.do(self._mend)
        for process in (self.relay, self.edge):
            self.start(process)
        if self.restores:
            # A relay that was put back to an older state is noticed at the room's next word.
            self.at_the_machine("cleo", "w1")
        ends_s = self.loop.time() + self.rest_s
        while self._unrest() and self.loop.time() < ends_s:
            self.advance(1)
        unrest = self._unrest()
        if unrest:
            raise NeverAtRestError("; ".join(unrest))

    def _mend(self) -> None:
        self.disks.delay_s.clear()
        self.disks.full.clear()
        self.push.is_out = False
        self.mend_links()
        for page in (*self.pages, self.stranger):
            page.http_s, page.shows_notices = 0.02, True
            if page.socket is not None:
                page.socket.read_on()
            page.look(visible=True)
            page.open()

    def mend_links(self) -> None:
        """Let everything between the room and the relay work; call it within the loop."""
        known = frozenset(self.rows(self.relay, "SELECT id FROM notices"))
        self.mended.append((self.loop.time(), known))
        for way in self.broker.ways():
            way.flow()
        self.broker.start()

    def _unrest(self) -> list[str]:
        return list(self._what_is_missing())

    def _what_is_missing(self) -> Iterator[str]:
        services, uplink = self.relay.services, self.edge.app._uplink
        if services is None or uplink is None:
            yield "not everything runs"
            return
        head = self.edge.store.room.head
        kept = services.rooms.position(ROOM.key)
        if kept != head.position:
            yield f"the relay keeps {kept}, the room is at {head.position}"
        if not self.edge.store.durable:
            yield "the room runs from memory"
        if uplink._outbox.awaits_answer:
            yield "the room waits for an answer of the relay"
        for page in self.pages:
            position = page.position
            if not page.welcomed or page.fetching:
                yield f"{page.name} is not there yet"
            elif position is None or position.epoch != head.epoch:
                yield f"{page.name} is at {position}, the room at {head.position}"
            elif position.offset < head.last_public:
                yield f"{page.name} is at {position}, the last event is {head.last_public}"

    def _fault_in_callback(self, _loop: object, context: dict[str, object]) -> None:
        error = context.get("exception")
        if isinstance(error, KilledError):
            return
        self.faults.append(
            error
            if isinstance(error, BaseException)
            else AssertionError(f"{context.get('message')}: {context.get('task')}")
        )


def _content(entry: Entry) -> dict[str, object]:
    """Return what was accepted.

    Which run of the program wrote it down is the store's own affair, and a clock that is set moves how
    long a notice is useful.
    """
    return entry.model_dump(
        exclude={
            "run": True,
            "notices": {"__all__": {"useful_until"}},
            "carried": {"notice": {"useful_until"}},
        }
    )


async def _no_http(*_args: object) -> None:
    raise AssertionError("no HTTP here")
