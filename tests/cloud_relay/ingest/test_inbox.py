from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.ingest import inbox as inbox_module
from cloud_relay.ingest import uplink
from cloud_relay.ingest.inbox import TOGETHER_MAX, TOGETHER_MAX_BYTES, Connected, Inbox, Mark
from laundryd.daemon.mqtt import Message
from laundryd.wire.ids import RoomRef
from laundryd.wire.topics import Topic, topic_name
from tests.cloud_relay.world import relay

Item = Message | Mark


def said(room: str, body: str = "", topic: Topic = Topic.UP_EVENTS) -> Message:
    name = topic_name(RoomRef(site="hall", room=room), topic)
    return Message(name, body.encode(), retained=False)


async def groups(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Put everything in and take it out again."""
    inbox, found = Inbox(), list[Sequence[Item]]()
    for item in items:
        inbox.put(item)
    while len(inbox):
        taken = await inbox.next()
        found.append(taken if isinstance(taken, Sequence) else [taken])
    return found


async def test_batches_of_different_rooms_that_wait_go_together() -> None:
    rooms = [said("a"), said("b"), said("c")]
    assert await groups(rooms) == [rooms]


async def test_whatever_is_no_batch_goes_alone_and_nothing_overtakes_it() -> None:
    hello = said("c", topic=Topic.UP_HELLO)
    items: list[Item] = [said("a"), hello, said("b"), Connected(), said("d"), said("e")]
    assert await groups(items) == [[items[0]], [hello], [items[2]], [Connected()], items[4:]]


async def test_a_second_batch_of_a_room_waits_for_the_first() -> None:
    items = [said("a", "1"), said("b"), said("a", "2"), said("c")]
    assert await groups(items) == [items[:2], items[2:]]


async def test_what_comes_alone_waits_for_no_company() -> None:
    inbox = Inbox()
    waiting = asyncio.ensure_future(inbox.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.put(said("a"))
    async with asyncio.timeout(1):
        assert await waiting == [said("a")]


async def test_a_transaction_is_bounded_in_messages_and_bytes() -> None:
    many = [said(f"r{number}") for number in range(TOGETHER_MAX + 1)]
    assert [len(group) for group in await groups(many)] == [TOGETHER_MAX, 1]
    large = [said(room, "x" * (TOGETHER_MAX_BYTES // 2)) for room in "abc"]
    assert [len(group) for group in await groups(large)] == [2, 1]
    huge = [said("a", "x" * (TOGETHER_MAX_BYTES + 1)), said("b")]
    assert [len(group) for group in await groups(huge)] == [1, 1]


@given(
    st.lists(
        st.builds(
            said,
            st.sampled_from("abcd"),
            st.text("x", max_size=30),
            st.sampled_from([Topic.UP_EVENTS, Topic.UP_EVENTS, Topic.UP_HELLO]),
        ),
        max_size=40,
    )
)
def test_everything_comes_out_once_in_order_and_a_room_once_a_group(items: list[Message]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox_module, "TOGETHER_MAX", 3)
        patch.setattr(inbox_module, "TOGETHER_MAX_BYTES", 50)
        found = asyncio.run(groups(items))
    assert [item for group in found for item in group] == items
    for group in found:
        rooms = defaultdict[str, int](int)
        for item in group:
            assert isinstance(item, Message)
            rooms[item.topic] += 1
        assert set(rooms.values()) == {1}
        assert len(group) == 1 or all(topic.endswith(Topic.UP_EVENTS) for topic in rooms)


async def test_what_waits_is_counted_in_bytes_until_it_is_taken() -> None:
    inbox = Inbox()
    for item in (said("a", "12345"), said("b", "678"), Connected(), said("a", "9")):
        inbox.put(item)
    left = [inbox.waiting_bytes]
    while len(inbox):
        await inbox.next()
        left.append(inbox.waiting_bytes)
    assert left == [9, 1, 1, 0]


@pytest.mark.parametrize(("limit", "most"), [("INBOX_MAX", 2), ("INBOX_MAX_BYTES", 8)])
async def test_what_is_too_much_is_dropped_and_counted_and_comes_again(
    monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(uplink, limit, most)
    async with relay(None) as world:
        for _ in range(3):
            world.ingest.on_message(said("a", "1234"))
        assert world.ingest.waiting == 2
        assert dict(world.ingest.skipped) == {"inbox_full": 1}
