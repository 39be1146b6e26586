"""What must hold in a world that has come to rest, whatever happened to it before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from cloud_relay.push.outcomes import BACKOFF_CAP_S
from edge.room.view import mine, owners, view, waiting
from laundryd.wire.events import PublicEvent
from laundryd.wire.frames import Mine
from laundryd.wire.machines import MachineView
from laundryd.wire.notices import Notice
from tests.model.clocks import START
from tests.model.pages import Page
from tests.model.people import MEMBERS, STRANGER
from tests.model.programs import ROOM
from tests.model.world import World

PUSHES_WAITING = "SELECT notice_id FROM push_deliveries WHERE outcome IS NULL"
"""What a push service could not take, and is offered again after minutes at most."""
NEED_NOT_BE_TOLD = "SELECT id FROM notices WHERE state IN ('app_only', 'moot')"
"""What waits for a page that may never come, or what later events made pointless."""
MOOT_IN_THE_ROOM = (
    "SELECT id FROM notices WHERE useful_until < json_extract(body, '$.useful_until')"
)
"""What later events made pointless before the relay heard of it."""
SETTLE_S = 30.0
"""From rest until every notice's deadline (5 s, 10 s for a room that came back) is over."""


def check_all(world: World) -> None:
    """Heal the world, let deadlines pass, and check every promise."""
    world.heal()
    rested_at = world.edge.app._clock.now()
    world.advance(SETTLE_S)
    ends_s = world.loop.time() + BACKOFF_CAP_S + SETTLE_S
    while world.loop.time() < ends_s and world.rows(world.relay, PUSHES_WAITING):
        world.advance(10)
    world.heal()  # what fell due meanwhile has arrived, too
    check_rooms_agree(world)
    check_pages(world)
    check_journals(world)
    check_notices(world, rested_at)
    check_nobody_saw_too_much(world)


def check_rooms_agree(world: World) -> None:
    """The relay has the room as the room is."""
    services = world.relay.services
    assert services is not None
    kept, state = services.rooms._states[ROOM.key], world.edge.writer.state
    assert seen(world, kept.machines) == seen(world, views(world)), "the relay has another room"
    assert dict(kept.owners) == owners(state), "the relay takes others for the owners"
    said = {one.resident: one for one in waiting(state) if one.watches or one.pickup_muted}
    assert dict(kept.waiting) == said, "the relay takes others to be waiting"


def views(world: World) -> dict[str, MachineView]:
    """Return the machines as anybody should see them."""
    return {slug: view(one) for slug, one in world.edge.writer.state.machines.items()}


def seen(world: World, machines: Mapping[str, MachineView]) -> dict[str, MachineView]:
    """Leave out what need not be told: since when a phase lasts, once the room's clock was set."""
    if not world.clock_was_set:
        return dict(machines)
    return {slug: one.model_copy(update={"since": START}) for slug, one in machines.items()}


def check_pages(world: World) -> None:
    """Every page shows the room as it is, and what is its resident's; each event took effect once."""
    state = world.edge.writer.state
    for page in world.pages:
        is_same = seen(world, page.machines) == seen(world, views(world))
        assert is_same, f"{page.name} shows another room"
        is_theirs = _sorted(page.mine) == _sorted(mine(state, ROOM.key, page.resident))
        assert is_theirs, f"{page.name} shows other things as its resident's"
        doubled = {key: count for key, count in page.seen.applied.items() if count > 1}
        assert not doubled, f"{page.name} applied twice: {doubled}"
        invented = set(page.seen.applied) - set(world.accepted)
        assert not invented, f"{page.name} applied what never happened: {invented}"
        final = page.seen.closed_for_good
        assert not final, f"{page.name} was closed for good: {final}"


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
    query = "SELECT offset FROM journal WHERE offset > ? ORDER BY offset"
    rows = world.loop.finish(world.edge.store.shelf.read(query, (dropped,)))
    offsets = [int(row["offset"]) for row in rows]
    assert offsets == list(range(dropped + 1, head.offset + 1)), "the journal has a hole"
    before: PublicEvent | None = None
    for body in world.rows(world.relay, "SELECT event FROM room_events ORDER BY position_offset"):
        event = PublicEvent.model_validate_json(body)
        accepted = world.accepted.get((event.epoch, event.offset))
        is_true = accepted is not None and accepted.event == event
        assert is_true, f"the relay keeps {event}, accepted was {accepted}"
        if before is not None:
            follows = (event.epoch, event.follows) == (before.epoch, before.offset)
            assert follows, f"{event.offset} does not follow {before.offset} at the relay"
        before = event


def check_notices(world: World, rested_at: datetime) -> None:
    """Everybody was told what they should be, and twice only for a reason.

    What was caused after ``rested_at`` may still have its deadline before it.
    """
    acked = {one for page in world.pages for one in page.seen.acknowledged}
    pushed = Counter(world.push.taken)
    told = acked | {notice for notice, _ in pushed}
    now = world.edge.app._clock.now()
    overwritten = [notice for entry in world.overwritten for notice in entry.notices]
    lost = {
        notice.id
        for key, entry in world.accepted.items()
        # What goes over into a new epoch is bounded, and a small world gets past that.
        if key in world.superseded or (world.is_small and entry.epoch in world.ended_epochs)
        for notice in entry.notices
    } | world.lost_notices
    lost |= set(world.rows(world.relay, NEED_NOT_BE_TOLD))
    lost |= set(world.rows(world.edge, MOOT_IN_THE_ROOM))
    for notice in notices(world):
        is_lost = notice.id in lost or notice in overwritten or notice.caused_at > rested_at
        if notice.resident in MEMBERS and notice.useful_until > now and not is_lost:
            assert notice.id in told, f"never told: {notice}"
    reasons = world.relay.kills + world.restores
    doubled = {key: count for key, count in pushed.items() if count > 1 + reasons}
    assert not doubled, f"pushed twice without a reason: {doubled}"
    for moment_s, known in world.mended:
        if world.fault_s <= moment_s and not reasons:
            early = _acknowledged_before(world, moment_s) - known
            again = {notice for notice, _ in world.push.taken_since(moment_s)} & early
            assert not again, f"pushed, but the room had told them before it came back: {again}"


def notices(world: World) -> list[Notice]:
    """Everything that the room ever wanted to be told."""
    entries = (*world.accepted.values(), *world.overwritten)
    return [notice for entry in entries for notice in entry.notices]


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
        foreign = {one for one in page.seen.notices if owner.get(one) != page.resident}
        assert not foreign, f"{page.name} was told what is others': {foreign}"
    stranger: Page = world.stranger
    assert not stranger.machines, "a stranger has the room"
    told = [text for text in stranger.seen.texts if '"batch"' in text or '"washer"' in text]
    assert not told, f"a stranger was told: {told}"
