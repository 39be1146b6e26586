"""Residents of the town: they join, carry a phone, and say one thing after the other all the time."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from laundryd.demo.errors import RefusedError
from laundryd.demo.push_client import Phone
from laundryd.demo.web import Web
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
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import ResidentId, Slug
from tests.faults.judge import Push
from tests.faults.town import ROOM, Town

JOINED_WITHIN_S: Final = 30.0
ASK_AGAIN_S: Final = 0.2
UNDECIDED: Final = frozenset({ErrorCode.EDGE_OFFLINE, ErrorCode.EDGE_TIMEOUT, ErrorCode.INTERNAL})
"""Refusals after which the deed may be done all the same: asked again under the same id."""


@dataclass(slots=True)
class Resident:
    """Somebody with a token for the relay, one for the room's own page, and a phone."""

    name: str
    id: ResidentId
    relay: Web
    edge: Web
    phone: Phone

    @property
    def pushes(self) -> list[Push]:
        """What the phone got and decrypted."""
        return [Push(_notice_id(one.payload), one.topic) for one in self.phone.received]


async def join(town: Town, name: str) -> Resident:
    """Join with the room's code, at the relay and then at the room's own page."""
    relay = Web(town.http, town.relay_url)
    joined = await relay.post("/join", JoinBody(code=town.join_code), Joined)
    relay.token = joined.token
    phone = town.push.new_phone((await relay.get("/push/key", PushKey)).key)
    keys = PushKeys(p256dh=phone.p256dh, auth=phone.auth)
    await relay.put("/push/subscriptions", SubscriptionBody(endpoint=phone.endpoint, keys=keys))
    edge = Web(town.http, town.edge_url)
    ends_at_s = time.monotonic() + JOINED_WITHIN_S
    while edge.token is None:
        try:
            voucher = await relay.post(f"/rooms/{ROOM.key}/voucher", None, Voucher)
            edge.token = await edge.post_for_cookie("/join", JoinBody(voucher=voucher.token))
        except RefusedError:
            # The relay's roster is still on its way to the room.
            if time.monotonic() > ends_at_s:
                raise
            await asyncio.sleep(ASK_AGAIN_S)
    return Resident(name, joined.resident, relay, edge, phone)


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing to say of the machine, and the real seconds to wait before it, at least and at most."""

    name: CommandName
    pause_s: tuple[float, float]
    minutes: int | None = None


QUICKLY: Final = (Wish(CommandName.CLAIM, (0.1, 0.4)), Wish(CommandName.RELEASE, (0.1, 0.4)))
WASHING: Final = (
    Wish(CommandName.START, (0.1, 0.8), minutes=1),
    Wish(CommandName.COLLECT, (1.6, 2.4)),  # when one minute of room time is over
)


@dataclass(slots=True)
class Talker:
    """Says ``wishes`` of ``machine`` over and over at ``web`` until ``hush``; ``answers``: the accepted."""

    web: Web
    machine: Slug
    wishes: Sequence[Wish]
    chance: random.Random
    answers: list[CommandAnswer] = field(default_factory=list)
    again: int = 0
    """How often something had to be asked again."""
    _may_speak: asyncio.Event = field(default_factory=asyncio.Event)
    _is_quiet: asyncio.Event = field(default_factory=asyncio.Event)

    def speak(self) -> None:
        """Begin, or go on."""
        self._is_quiet.clear()
        self._may_speak.set()

    async def hush(self) -> None:
        """Stop; return when the last thing said was answered."""
        self._may_speak.clear()
        await self._is_quiet.wait()

    async def run(self) -> None:
        """Speak when told to, until cancelled."""
        for wish in itertools.cycle(self.wishes):
            if not self._may_speak.is_set():
                self._is_quiet.set()
            await self._may_speak.wait()
            await asyncio.sleep(self.chance.uniform(*wish.pause_s))
            answer = await self._say(wish)
            if answer is not None:
                self.answers.append(answer)

    async def _say(self, wish: Wish) -> CommandAnswer | None:
        """Say it until it is answered; None when the room refused it."""
        body = CommandBody(id=uuid.uuid4().hex, minutes=wish.minutes)
        path = f"/rooms/{ROOM.key}/machines/{self.machine}/{wish.name}"
        while True:
            try:
                return await self.web.post(path, body, CommandAnswer)
            except RefusedError as refused:
                if refused.code not in UNDECIDED:
                    return None
            except (aiohttp.ClientError, TimeoutError):
                pass
            self.again += 1
            await asyncio.sleep(ASK_AGAIN_S)


def _notice_id(payload: dict[str, object] | bytes) -> str:
    found: object = payload
    for key in ("notification", "data", "notice_id"):
        found = found.get(key) if isinstance(found, dict) else None
    return str(found)
