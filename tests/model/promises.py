"""What must hold in a world that has come to rest, whatever happened to it before."""

from __future__ import annotations

from collections import Counter

from edge.room.view import mine, owners, view, waiting
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.events import PublicEvent
from laundryd.wire.frames import Mine
from laundryd.wire.notices import Notice
from tests.model.pages import Page
from tests.model.people import MEMBERS, STRANGER
from tests.model.programs import ROOM
from tests.model.world import World

SETTLE_S = 30.0
"""From rest until every notice's deadline (5 s, 10 s for a room that came back) is over."""


def check_all(world: World) -> None:
    """Heal the world, let deadlines pass, and check every promise."""
    known = set(world.rows(world.relay, "SELECT id FROM notices"))
    began_s = world.loop.time()
    world.heal()
    world.advance(SETTLE_S)
    world.heal()  # what fell due meanwhile has arrived, too
    check_rooms_agree(world)
    check_pages(world)
    check_journals(world)
    check_notices(world, known_before=known, healing_since_s=began_s)
    check_nobody_saw_too_much(world)


def check_rooms_agree(world: World) -> None:
    """The relay has the room as the room is."""
    services = world.relay.services
    assert services is not None
    kept, state = services.rooms._states[ROOM.key], world.edge.writer.state
    assert kept.machines == {slug: view(one) for slug, one in state.machines.items()}
    assert dict(kept.owners) == owners(state)
    said = {one.resident: one for one in waiting(state) if one.watches or one.pickup_muted}
    assert dict(kept.waiting) == said


def check_pages(world: World) -> None:
    """Every page shows the room as it is, and what is its resident's; each event took effect once."""
    state = world.edge.writer.state
    for page in world.pages:
        assert page.machines == {slug: view(one) for slug, one in state.machines.items()}, page.name
        assert _sorted(page.mine) == _sorted(mine(state, ROOM.key, page.resident)), page.name
        doubled = {key: count for key, count in page.seen.applied.items() if count > 1}
        assert not doubled, (page.name, doubled)
        assert set(page.seen.applied) <= set(world.accepted), page.name
        assert set(page.seen.final_codes) <= {CloseCode.REPLACED}, page.name


def _sorted(said: Mine) -> tuple[list[str], list[str], list[str], list[str]]:
    return (
        sorted(one.model_dump_json() for one in said.machines),
        sorted(one.model_dump_json() for one in said.claims),
        sorted(one.model_dump_json() for one in said.watches),
        sorted(said.pickup_muted),
    )


def check_journals(world: World) -> None:
    """No number is missing in the room's journal; what the relay keeps are the same events, chained."""
    dropped, head = world.edge.store.room.dropped, world.edge.store.room.head
    offsets = world.numbers(world.edge, "SELECT offset FROM journal ORDER BY offset")
    assert offsets == list(range(dropped + 1, head.offset + 1))
    before: PublicEvent | None = None
    for body in world.rows(world.relay, "SELECT event FROM room_events ORDER BY position_offset"):
        event = PublicEvent.model_validate_json(body)
        assert world.accepted[event.epoch, event.offset].event == event
        if before is not None:
            assert (event.epoch, event.follows) == (before.epoch, before.offset)
        before = event


def check_notices(world: World, *, known_before: set[str], healing_since_s: float) -> None:
    """Everybody was told what they should be, and twice only for a reason."""
    acked = {one for page in world.pages for one in page.seen.acknowledged}
    pushed = Counter(world.push.taken)
    told = acked | {notice for notice, _ in pushed}
    now = world.edge.app._clock.now()
    for notice in notices(world):
        if notice.resident in MEMBERS and notice.useful_until > now:
            excused = _epoch_of(world, notice) in world.lost_epochs
            assert excused or notice.id in told, f"never told: {notice}"
    reasons = world.relay.kills + world.restores
    doubled = {key: count for key, count in pushed.items() if count > 1 + reasons}
    assert not doubled, f"pushed twice without a reason: {doubled}"
    if not reasons:
        early = _acknowledged_before(world, healing_since_s) - known_before
        again = {notice for notice, _ in world.push.taken_since(healing_since_s)} & early
        assert not again, f"pushed although the room had told them before it came back: {again}"


def notices(world: World) -> list[Notice]:
    """Everything that the room ever wanted to be told."""
    return [notice for entry in world.accepted.values() for notice in entry.notices]


def _epoch_of(world: World, notice: Notice) -> str:
    return next(
        entry.epoch
        for entry in world.accepted.values()
        if notice.id in {n.id for n in entry.notices}
    )


def _acknowledged_before(world: World, moment_s: float) -> set[str]:
    return {
        entry.ack.notice_id
        for key, entry in world.accepted.items()
        if entry.ack is not None and world.accepted_at_s[key] < moment_s
    }


def check_nobody_saw_too_much(world: World) -> None:
    """Broadcasts name nobody; a page is told what is its own resident's; a stranger sees nothing."""
    everybody = {*MEMBERS, STRANGER}
    owner = {notice.id: notice.resident for notice in notices(world)}
    for page in (*world.pages, world.stranger):
        for text in page.seen.texts:
            named = {one for one in everybody if f'"{one}"' in text}
            assert not named, f"{page.name} read of {named}: {text}"
        assert all(owner[one] == page.resident for one in page.seen.notices if one in owner)
    stranger: Page = world.stranger
    assert not stranger.machines
    assert not any('"batch"' in text or '"washer"' in text for text in stranger.seen.texts)
