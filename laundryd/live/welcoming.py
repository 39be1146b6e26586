"""From ``identify`` to the last pending notice: the order in which a client is brought up to date.

Hold the room's events, take the head, read the history, ask once more who may see it; then welcome, and for
each room, without waiting in between, replay and what was held. Only after that what is private: ``mine``
and the pending notices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from laundryd.live.connection import Connection, encode
from laundryd.live.desk import Desk
from laundryd.live.door import Door
from laundryd.live.hub import Hub
from laundryd.live.replays import Replay
from laundryd.live.resume import other_past
from laundryd.wire import frames
from laundryd.wire.errors import ErrorCode
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
    if any(found is not None and found.frames for found in resumptions.values()):
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
    _send(hub, connection, _frame(hub, desk, connection.session_id, resumptions))
    for room, replay in resumptions.items():
        # What was missed in many rooms is more than the queue holds; the rooms to come are held meanwhile.
        await connection.keep_pace()
        floor = None if replay is None else replay.resumption.floor
        held = hub.settle(room, connection, floor)
        for encoded in (*(replay.frames if replay else ()), *hub.encoded(held)):
            hub.counts.frames("batch", connection.deliver(encoded))
        _send_room(hub, desk, connection, room, edge_status(room))
    hub.announce_presence()
    await send_mine(hub, desk, [connection])
    pending = await desk.pending_notices(connection.admission.resident)
    told = connection.told or set()
    for notice in pending:
        # Many may wait for one who was away for long, and the queue is for what others cause.
        await connection.keep_pace()
        if notice.id not in told:
            _send(hub, connection, notice)
    connection.told = None


def _send_room(
    hub: Hub, desk: Desk, connection: Connection, room: RoomKey, edge: EdgeStatus | None
) -> None:
    """Send what is said of a room beside its journal."""
    if edge is not None:
        _send(hub, connection, frames.RoomStatus(room=room, edge=edge))
    if shown := desk.shown(room):
        _send(hub, connection, frames.ShownInRoom(room=room, shown=list(shown)))


async def send_mine(hub: Hub, desk: Desk, connections: Sequence[Connection]) -> None:
    """Read what is theirs and send it; ``connections`` are all of one resident's."""
    if not connections:
        return
    ticket = hub.mine_ticket()
    hub.tell_mine(connections, await desk.mine(connections[0].admission.resident), ticket)


async def _resume(
    hub: Hub, desk: Desk, connection: Connection, identify: frames.Identify, room: RoomKey
) -> Replay | None:
    """Decide for one room; None when its journal is not known (yet)."""
    hub.join(room, connection)
    head = desk.position(room)
    if head is None:
        return None
    named = identify.rooms[room]
    if named is not None and named.epoch == head.epoch and not desk.is_same_past(room, named):
        replay = Replay(other_past(head))
    else:
        not_before = hub.clock.now() - timedelta(seconds=hub.settings.replay_age_s)
        replay = await hub.replays.answer(room, named, head, not_before)
    hub.counts.resumed(replay.resumption.outcome)
    return replay


def _frame(
    hub: Hub, desk: Desk, session_id: str, resumptions: dict[RoomKey, Replay | None]
) -> frames.Welcome:
    settings = hub.settings
    return frames.Welcome(
        session_id=session_id,
        heartbeat_s=settings.heartbeat_s,
        batch_ms=settings.batch_ms,
        backoff=settings.backoff,
        clock=frames.RoomClock(at=hub.clock.now(), speed=hub.clock.speed),
        rooms={
            room: found.resumption.frame(desk.run(room))
            for room, found in resumptions.items()
            if found is not None
        },
    )


def _send(hub: Hub, connection: Connection, frame: frames.ServerFrame) -> None:
    hub.counts.frames(frame.type, connection.deliver(encode(frame)))
