"""A remote resident's command: down to the room, and its answer back up, or a clear word why not."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from cloud_relay.broker_link import BrokerLink
from cloud_relay.rooms.rooms import Rooms
from laundryd.daemon.clock import Clock
from laundryd.wire.commands import (
    CommandAnswer,
    CommandError,
    DownCommand,
    ResidentCommand,
    UpAnswer,
)
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import RoomKey, RoomRef
from laundryd.wire.times import to_rfc3339
from laundryd.wire.topics import Topic, topic_name

log = logging.getLogger(__name__)

COMMAND_TIMEOUT_S = 8.0
"""How long a command may be carried out, real seconds: a slow phone network's worth."""
LATE_GRACE_S = 2.0
"""Real seconds more in which a late answer is still awaited: that it came too late and nothing was done, or
what was done, is better news than that nobody knows."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    room: RoomKey
    answer: asyncio.Future[CommandAnswer]


class RemoteCommands:
    """Sends commands to rooms and matches the answers.

    A room that is away, one that does not answer, and one that was reached too late are three answers:
    ``edge_offline`` (nothing was done), ``edge_timeout`` (nobody knows), ``expired`` (nothing was done,
    the room says so). ``relay_id`` names this process's own reply topic, ``up/answer/{relay_id}``.
    ``counts``: answers by what became of them (``answered``, ``edge_offline``, ``edge_timeout``,
    ``expired``, ``late``, ``foreign``).
    """

    def __init__(
        self,
        link: BrokerLink,
        rooms: Rooms,
        clock: Clock,
        *,
        relay_id: str,
        timeout_s: float = COMMAND_TIMEOUT_S,
        late_grace_s: float = LATE_GRACE_S,
    ) -> None:
        self._link = link
        self._rooms = rooms
        self._clock = clock
        self._timeout_s = timeout_s
        self._late_grace_s = late_grace_s
        self._waiting: dict[str, _Waiting] = {}
        self.relay_id = relay_id
        self.counts: Counter[str] = Counter()

    async def send(self, room: RoomKey, command: ResidentCommand) -> CommandAnswer:
        """Ask the room's edge and wait for its answer, ``timeout_s`` and ``late_grace_s`` at most.

        Nothing is queued behind the resident's back: a room that is away refuses at once. Safe to
        cancel; the edge may still carry the command out.
        """
        if not await self._rooms.known(room):
            return _refused(command, ErrorCode.UNKNOWN_ROOM)
        edge = self._rooms.edge(room)
        if not edge.online:
            self.counts["edge_offline"] += 1
            return _refused(
                command, ErrorCode.EDGE_OFFLINE, f"It was last heard at {to_rfc3339(edge.since)}."
            )
        now = self._clock.real_now()
        request = DownCommand(
            request_id=uuid.uuid4().hex,
            relay_id=self.relay_id,
            command=command,
            sent_at=now,
            expires_at=now + timedelta(seconds=self._timeout_s),
        )
        future: asyncio.Future[CommandAnswer] = asyncio.get_running_loop().create_future()
        self._waiting[request.request_id] = _Waiting(room, future)
        try:
            async with asyncio.timeout(self._timeout_s + self._late_grace_s):
                return await self._ask(room, request, future)
        except TimeoutError:
            self.counts["edge_timeout"] += 1
            return _refused(command, ErrorCode.EDGE_TIMEOUT)
        finally:
            del self._waiting[request.request_id]

    async def _ask(
        self, room: RoomKey, request: DownCommand, future: asyncio.Future[CommandAnswer]
    ) -> CommandAnswer:
        if not self._link.connected:
            self.counts["edge_offline"] += 1
            return _refused(
                request.command, ErrorCode.EDGE_OFFLINE, "The relay has no broker just now."
            )
        topic = topic_name(RoomRef.from_key(room), Topic.DOWN_COMMAND)
        # Not confirmed is not unsent: a broker that died may have passed it on, and the room's answer
        # comes over the next connection, or nobody knows.
        await self._link.publish(topic, request.model_dump_json().encode())
        answer = await future
        is_expired = answer.error is not None and answer.error.code is ErrorCode.EXPIRED
        self.counts["expired" if is_expired else "answered"] += 1
        return answer

    def answered(self, room: RoomKey, answer: UpAnswer) -> None:
        """Take an answer from ``room``; one that nobody waits for any more is counted and dropped."""
        waiting = self._waiting.get(answer.request_id)
        if waiting is None or waiting.answer.done():
            self.counts["late"] += 1
            log.info(
                "a late answer to a command came; its resident was told so", extra={"room": room}
            )
        elif waiting.room != room:
            self.counts["foreign"] += 1
            log.warning("an answer came from another room than was asked", extra={"room": room})
        else:
            waiting.answer.set_result(answer.answer)


def _refused(command: ResidentCommand, code: ErrorCode, detail: str = "") -> CommandAnswer:
    return CommandAnswer(id=command.id, ok=False, error=CommandError.of(code, detail))
