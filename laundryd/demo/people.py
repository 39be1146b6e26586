"""Simulated residents: they join at the relay, look at a page or close it, and say what residents say."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Final, NoReturn

from laundryd.demo.errors import NotReadyError, RefusedError
from laundryd.demo.push_client import DecryptedPush, Phone
from laundryd.demo.sightings import How, Sighting, Sightings
from laundryd.demo.town import Town
from laundryd.demo.web import Web
from laundryd.live.client import LiveClient
from laundryd.live.errors import LiveTimeoutError
from laundryd.wire import frames
from laundryd.wire.bodies import (
    CommandBody,
    JoinBody,
    Joined,
    PushKey,
    PushKeys,
    SubscriptionBody,
    Voucher,
)
from laundryd.wire.commands import CommandAnswer, CommandName
from laundryd.wire.ids import Position, Slug
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import Lang, render
from laundryd.wire.phases import Sensor

LISTEN_S: Final = 3600.0
"""How long one wait for the next frame lasts; then the next wait begins."""
TOUCH_EVERY_S: Final = 30.0
"""How often a simulated page says that it is looked at, real time; 2 min without make it unattentive."""
CONNECTED_WITHIN_S: Final = 30.0
LOOK_AGAIN_S: Final = 0.1


class Place(StrEnum):
    """Where a resident's app is."""

    ROOM = "room"
    """Open on the room's own page."""
    REMOTE = "remote"
    """Open on the relay's page."""
    AWAY = "away"
    """Closed: only the phone's push service reaches them."""


_SOCKET: Final = {Place.ROOM: How.EDGE, Place.REMOTE: How.RELAY}


class Resident:
    """One resident with one device, its push subscription, and a page where ``place`` has one.

    ``snapshots`` counts how often the page had to fetch the whole room.
    """

    def __init__(self, name: str, place: Place, town: Town, sightings: Sightings) -> None:
        self.name = name
        self.place = place
        self.snapshots = 0
        self._town = town
        self._sightings = sightings
        self._relay = Web(town.http, town.relay_url)
        self._page = self._relay
        self._client: LiveClient | None = None
        self._connected = asyncio.Event()
        self._phone: Phone | None = None

    @property
    def via(self) -> str:
        """How their commands travel."""
        return str(_SOCKET.get(self.place, "HTTP at the relay"))

    @property
    def client(self) -> LiveClient:
        """The page's session.

        Raises:
            NotReadyError: their app is closed.

        """
        if self._client is None:
            raise NotReadyError(f"{self.name} has no page open")
        return self._client

    @property
    def duplicates(self) -> int:
        """How many events came to the page that it knew already."""
        return 0 if self._client is None else self._client.duplicates

    async def join(self) -> None:
        """Join with the room's code, subscribe the phone, and get into the room's own page if it is theirs.

        Raises:
            RefusedError: a program refused it.

        """
        body = JoinBody(code=self._town.join_code, device_name=f"{self.name}'s phone")
        self._relay.token = (await self._relay.post("/join", body, Joined)).token
        key = (await self._relay.get("/push/key", PushKey)).key
        self._phone = phone = self._town.push.new_phone(key)
        await self._relay.put(
            "/push/subscriptions",
            SubscriptionBody(
                endpoint=phone.endpoint, keys=PushKeys(p256dh=phone.p256dh, auth=phone.auth)
            ),
        )
        await self._room_is_heard()
        if self.place is Place.ROOM:
            voucher = await self._relay.post(f"/rooms/{self._town.room.key}/voucher", None, Voucher)
            self._page = Web(self._town.http, voucher.local_url or self._town.edge_url)
            self._page.token = await self._page.post_for_cookie(
                "/join", JoinBody(voucher=voucher.token)
            )

    async def connected(self) -> None:
        """Wait until the page is connected and has the whole room; at once when the app is closed.

        Raises:
            NotReadyError: it was not within ``CONNECTED_WITHIN_S``.

        """
        if self.place is Place.AWAY:
            return
        try:
            async with asyncio.timeout(CONNECTED_WITHIN_S):
                await self._connected.wait()
        except TimeoutError:
            raise NotReadyError(f"{self.name}'s page did not get connected") from None

    async def ask(
        self, machine: Slug, name: CommandName, *, minutes: int | None = None
    ) -> CommandAnswer:
        """Say something of a machine, over the open page's socket or else over the relay's HTTP.

        Raises:
            RefusedError: nothing was changed, and why.

        """
        if self._client is not None:
            result = await self._client.send_command(
                self._town.room.key, machine, name, minutes=minutes
            )
            if result.error is not None:
                asked = f"{self.name}: {name} {machine}"
                raise RefusedError(asked, 0, result.error.code, result.error.message)
            return CommandAnswer.model_validate(result.model_dump())
        return await self._relay.post(
            f"/rooms/{self._town.room.key}/machines/{machine}/{name}",
            CommandBody(id=uuid.uuid4().hex, minutes=minutes),
            CommandAnswer,
        )

    async def room(self) -> RoomSnapshot:
        """Return the whole room as their page shows it."""
        return await self._page.get(f"/rooms/{self._town.room.key}", RoomSnapshot)

    async def live(self) -> NoReturn:
        """Look at the page and carry the phone, until cancelled.

        Raises:
            ExceptionGroup: the page was refused for good, or the phone got what it cannot decrypt.

        """
        if self._phone is None:
            raise NotReadyError(f"{self.name} has not joined")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._carry(self._phone))
            if self.place is not Place.AWAY:
                tasks.create_task(self._look())
            await asyncio.Event().wait()
        raise NotReadyError(f"{self.name} stopped living")  # not reached: the wait has no end

    async def _look(self) -> NoReturn:
        page = self._page
        async with (
            LiveClient(page.live_url, page.token or "", rooms=[self._town.room.key]) as client,
            asyncio.TaskGroup() as tasks,
        ):
            self._client = client
            tasks.create_task(self._watch_events(client))
            tasks.create_task(self._watch_notices(client))
            tasks.create_task(self._touch(client))
            await self._watch_welcomes(client)
        raise NotReadyError(f"{self.name} stopped looking")  # not reached: the watch has no end

    async def _watch_welcomes(self, client: LiveClient) -> NoReturn:
        room = self._town.room.key
        while True:
            with contextlib.suppress(LiveTimeoutError):
                await client.next_frame(frames.Welcome, LISTEN_S)
                if room in client.needs_snapshot:
                    await self._fetch_room(client)
                self._connected.set()

    async def _fetch_room(self, client: LiveClient) -> None:
        room = self._town.room.key
        snapshot = await self.room()
        self.snapshots += 1
        if _is_later(snapshot.position, client.positions.get(room)):
            client.snapshot_taken(room, snapshot.page_position)
        else:
            client.needs_snapshot.discard(room)

    async def _watch_events(self, client: LiveClient) -> NoReturn:
        while True:
            with contextlib.suppress(LiveTimeoutError):
                received = await client.next_event(timeout_s=LISTEN_S)
                event = received.item
                self._sightings.add(
                    Sighting(
                        who=self.name,
                        how=_SOCKET[self.place],
                        what="event",
                        kind=event.cause,
                        machine=event.machine.machine,
                        subject=f"{event.epoch}:{event.offset}",
                        seen_s=_unix_s(received.received_s),
                        caused_at=event.at,
                        view=event.machine,
                    )
                )

    async def _watch_notices(self, client: LiveClient) -> NoReturn:
        shown: set[str] = set()
        while True:
            with contextlib.suppress(LiveTimeoutError):
                received = await client.next_frame(frames.NoticeFrame, LISTEN_S)
                notice = received.item
                # A page shows a notice that it shows already no second time, but acknowledges it again.
                # One that a push told it keeps in its list, and tells nobody.
                if notice.id not in shown and not notice.told:
                    shown.add(notice.id)
                    self._sightings.add(
                        Sighting(
                            who=self.name,
                            how=_SOCKET[self.place],
                            what="notice",
                            kind=notice.kind,
                            machine=notice.machine or "",
                            subject=notice.id,
                            seen_s=_unix_s(received.received_s),
                            caused_at=notice.caused_at,
                            text=render(notice, Lang.EN).body,
                        )
                    )
                await client.ack([notice.id])

    async def _touch(self, client: LiveClient) -> NoReturn:
        while True:
            await asyncio.sleep(TOUCH_EVERY_S)
            with contextlib.suppress(LiveTimeoutError):
                await client.attention(visible=True)

    async def _carry(self, phone: Phone) -> NoReturn:
        while True:
            with contextlib.suppress(TimeoutError):
                self._sightings.add(self._pushed(await phone.next(LISTEN_S)))

    def _pushed(self, push: DecryptedPush) -> Sighting:
        payload = push.payload if isinstance(push.payload, dict) else {}
        notification = _table(payload.get("notification"))
        data = _table(notification.get("data"))
        return Sighting(
            who=self.name,
            how=How.PUSH,
            what="notice",
            kind=str(data.get("kind")),
            machine=str(data.get("machine") or ""),
            subject=str(data.get("notice_id")),
            seen_s=push.received_at.timestamp(),
            text=str(notification.get("body")),
        )

    async def _room_is_heard(self) -> None:
        """Wait until the relay hears the room's edge, and the edge its plugs if they speak.

        Then commands reach the room, and nothing changes there before somebody says something.
        """
        ends_at_s = time.monotonic() + CONNECTED_WITHIN_S
        while time.monotonic() < ends_at_s:
            with contextlib.suppress(RefusedError):
                room = await self.room()
                online = room.edge is not None and room.edge.online
                heard = all(machine.sensor is Sensor.OK for machine in room.machines)
                if online and (heard or not self._town.plugs_speak):
                    return
            # The relay has no word for it; it takes as long as one hello.
            await asyncio.sleep(LOOK_AGAIN_S)
        self._town.check()
        raise NotReadyError(
            "the relay does not hear the room's edge and plugs; the edge's last lines:\n"
            f"{self._town.edge.last_lines()}"
        )


@asynccontextmanager
async def live_in(
    town: Town, sightings: Sightings, cast: Sequence[tuple[str, Place]]
) -> AsyncIterator[list[Resident]]:
    """Let residents join and live in town while the block runs; each is connected at its start."""
    residents = [Resident(name, place, town, sightings) for name, place in cast]
    await asyncio.gather(*(resident.join() for resident in residents))
    async with asyncio.TaskGroup() as tasks:
        lives = [tasks.create_task(resident.live()) for resident in residents]
        try:
            for resident in residents:
                await resident.connected()
            yield residents
        finally:
            for life in lives:
                life.cancel()


def _is_later(found: Position, known: Position | None) -> bool:
    return known is None or found.epoch != known.epoch or found.offset > known.offset


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _unix_s(monotonic_s: float) -> float:
    return time.time() - (time.monotonic() - monotonic_s)
