"""From ``identify`` to the last pending notice: the order in which a client is brought up to date.

Hold the room's events, take the head, read the history, ask once more who may see it; then, without
waiting in between, welcome, replay and what was held. Only after that what is private: ``mine`` and the
pending notices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from laundryd.live.connection import Connection, encode
from laundryd.live.desk import Desk
from laundryd.live.door import Door
from laundryd.live.hub import Hub
from laundryd.live.resume import Resumption, decide, needs_history, since
from laundryd.wire import frames
from laundryd.wire.errors import ErrorCode
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import RoomKey
from laundryd.wire.machines import EdgeStatus

EdgeStatusOf = Callable[[RoomKey], EdgeStatus | None]
"""Says whether a room's edge is heard; None on the room's own page."""


async def welcome(
    hub: Hub,
    desk: Desk,
    door: Door,
    connection: Connection,
    identify: frames.Identify,
    *,
    edge_status: EdgeStatusOf,
) -> None:
    """Answer ``identify``. Rooms that the client may not see are left out of the answer and counted."""
    mine_to_see = [room for room in identify.rooms if room in connection.admission.rooms]
    resumptions = {
        room: await _resume(hub, desk, connection, identify, room) for room in mine_to_see
    }
    if any(found is not None and found.replay for found in resumptions.values()):
        hub.restrict(connection, await door.rooms_now(connection.admission))
        still = connection.admission.rooms
        resumptions = {room: found for room, found in resumptions.items() if room in still}
    for _ in range(len(identify.rooms) - len(resumptions)):
        hub.counts.error(ErrorCode.FOREIGN_ROOM)
    if connection.closing:
        return
    hub.attach(connection, identify.session_id, visible=identify.visible)
    if connection.session_id is None:
        raise RuntimeError("the hub attached a connection without a session id")
    _send(hub, connection, _frame(hub, connection.session_id, resumptions))
    for room, resumption in resumptions.items():
        floor = None if resumption is None else resumption.floor
        replay = () if resumption is None else resumption.replay
        _send_events(hub, connection, [*replay, *hub.settle(room, connection, floor)])
        status = edge_status(room)
        if status is not None:
            _send(hub, connection, frames.RoomStatus(room=room, edge=status))
    hub.announce_presence()
    await send_mine(hub, desk, [connection])
    pending = await desk.pending_notices(connection.admission.resident)
    told = connection.told or set()
    for card in pending:
        # Many may wait for one who was away for long, and the queue is for what others cause.
        await connection.keep_pace()
        if card.id not in told:
            _send(hub, connection, frames.NoticeFrame.model_validate(card.model_dump()))
    connection.told = None


async def send_mine(hub: Hub, desk: Desk, connections: Sequence[Connection]) -> None:
    """Read what is theirs and send it; ``connections`` are all of one resident's."""
    if not connections:
        return
    ticket = hub.mine_ticket()
    hub.tell_mine(connections, await desk.mine(connections[0].admission.resident), ticket)


async def _resume(
    hub: Hub, desk: Desk, connection: Connection, identify: frames.Identify, room: RoomKey
) -> Resumption | None:
    """Decide for one room; None when its journal is not known (yet)."""
    named = identify.rooms[room]
    hub.join(room, connection)
    head = desk.position(room)
    if head is None:
        return None
    missed = None
    if named is not None and needs_history(named, head):
        # One more than is replayed, to see that there are more.
        kept = await desk.since(room, named, hub.settings.replay_max + 1)
        missed = since(kept, hub.clock.now() - timedelta(seconds=hub.settings.replay_age_s))
    resumption = decide(named, head, missed, hub.settings.replay_max)
    hub.counts.resumed(resumption.outcome)
    return resumption


def _frame(
    hub: Hub, session_id: str, resumptions: dict[RoomKey, Resumption | None]
) -> frames.Welcome:
    settings = hub.settings
    return frames.Welcome(
        session_id=session_id,
        heartbeat_s=settings.heartbeat_s,
        batch_ms=settings.batch_ms,
        backoff=settings.backoff,
        clock=frames.RoomClock(at=hub.clock.now(), speed=hub.clock.speed),
        rooms={room: found.frame() for room, found in resumptions.items() if found is not None},
    )


def _send(hub: Hub, connection: Connection, frame: frames.ServerFrame) -> None:
    hub.counts.frames(frame.type, connection.deliver(encode(frame)))


def _send_events(hub: Hub, connection: Connection, events: Sequence[PublicEvent]) -> None:
    size = hub.settings.batch_max
    for start in range(0, len(events), size):
        _send(hub, connection, frames.Batch(events=list(events[start : start + size])))
