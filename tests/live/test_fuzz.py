"""Anything at all over a socket: it ends with the right code, nobody else notices, and nothing piles up."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from laundryd.live.client import LiveClient
from laundryd.live.replays import KEPT_EVENTS_MAX
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.frames import FRAME_MAX_BYTES
from tests.live.stage import (
    EPOCH,
    FOREIGN_ROOM,
    OTHER_ROOM,
    ROOM,
    Stage,
    closed,
    eventually,
    identify_text,
    make_notice,
    running,
)

# -- what is sent

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)
HONEST: list[dict[str, object]] = [
    {"type": "ping"},
    {"type": "pong"},
    {"type": "attention", "visible": True, "touched_s_ago": 1.5},
    {"type": "ack", "notice_ids": [make_notice("one").id]},
    {"type": "read", "notice_ids": [make_notice("two").id]},
    {"type": "command", "id": "c1", "room": ROOM, "machine": "washer-1", "name": "claim"},
    {"type": "command", "id": "c2", "room": FOREIGN_ROOM, "machine": "w", "name": "start"},
    json.loads(identify_text(session_id="stolen")),
    json.loads(identify_text(rooms={OTHER_ROOM: {"epoch": "zz", "offset": 2**53 - 1}})),
    json.loads(identify_text(rooms={FOREIGN_ROOM: None, ROOM: {"epoch": "e1", "offset": 0}})),
]
FIELDS = sorted({name for frame in HONEST for name in frame})


@st.composite
def crooked(draw: st.DrawFn) -> str:
    """An honest frame with one thing changed, left out or added."""
    frame = dict(draw(st.sampled_from(HONEST)))
    name = draw(st.sampled_from(FIELDS) | st.text(max_size=8))
    if draw(st.booleans()):
        frame.pop(name, None)
    else:
        frame[name] = draw(JSON)
    return json.dumps(frame)


TEXTS = (
    st.sampled_from([json.dumps(frame) for frame in HONEST])
    | crooked()
    | JSON.map(json.dumps)
    | st.text(max_size=200)
    | st.sampled_from(["[", '{"type":'])
    .flatmap(lambda opening: st.integers(1, 5_000).map(lambda depth: opening * depth))
    .filter(lambda text: len(text) <= FRAME_MAX_BYTES)
    | st.integers(FRAME_MAX_BYTES - 2, FRAME_MAX_BYTES + 3).map(lambda size: " " * size)
    | st.integers(5_000, 6_000).map(lambda size: "한" * size)
)


@dataclass(frozen=True)
class Sent:
    """One message. ``cut``: where the text is cut into fragments; empty: it goes whole."""

    data: str | bytes
    cut: tuple[int, ...] = ()

    def parts(self) -> list[str]:
        text = str(self.data)
        places = sorted({0, len(text), *(at % (len(text) + 1) for at in self.cut)})
        return [text[a:b] for a, b in itertools.pairwise(places)] or [""]


STAYING = st.sampled_from([json.dumps(frame) for frame in HONEST if frame["type"] != "identify"])
MESSAGES = st.one_of(
    STAYING.map(Sent),
    STAYING.map(Sent),
    st.builds(Sent, STAYING, st.lists(st.integers(0, 99), max_size=5).map(tuple)),
    TEXTS.map(Sent),
    st.binary(max_size=100).map(Sent),
    st.builds(Sent, TEXTS, st.lists(st.integers(0, 20_000), max_size=5).map(tuple)),
)


def expected_close(messages: Sequence[Sent]) -> int | None:
    """Say with which code a conversation must end, None if it goes on; from the contract's words alone."""
    identified = False
    for sent in messages:
        if isinstance(sent.data, bytes):
            return CloseCode.BAD_FRAME
        if len(sent.data.encode()) > FRAME_MAX_BYTES:
            return CloseCode.FRAME_TOO_LARGE
        try:
            frame = frames.CLIENT_FRAME.validate_json(sent.data)
        except ValidationError:
            found = parsed(sent.data)
            if identified and is_command_with_an_id(found):
                continue  # answered by a result
            is_object = isinstance(found, dict)
            return CloseCode.NOT_IDENTIFIED if is_object and not identified else CloseCode.BAD_FRAME
        if isinstance(frame, frames.Identify):
            if identified:
                return CloseCode.BAD_FRAME
            identified = True
        elif not identified:
            return CloseCode.NOT_IDENTIFIED
    return None


def parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def is_command_with_an_id(found: object) -> bool:
    if not isinstance(found, dict) or found.get("type") != "command":
        return False
    name = found.get("id")
    return (
        isinstance(name, str)
        and 0 < len(name) <= 64
        and name.isascii()
        and not set(name) - set("-_") - {c for c in name if c.isalnum()}
    )


# -- the stage: one server for all examples, and somebody who must not notice any of them


class Fuzzed:
    """A server, and a bystander in the same room."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.stack = contextlib.AsyncExitStack()
        self.offset = 0

    live: Stage
    bystander: LiveClient

    def __enter__(self) -> Self:
        self.runner.__enter__()
        self.runner.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    async def _open(self) -> None:
        # Errors are no matter here: everybody would soon be shut out.
        self.live = await self.stack.enter_async_context(running(errors_max=10**9))
        self.bystander = await self.stack.enter_async_context(self.live.client("bystander:phone"))
        await self.bystander.next_frame(frames.Mine)

    async def nobody_noticed(self) -> None:
        """See that the bystander gets the next event, and that the fuzzer's connection left nothing."""
        self.offset += 1
        event = await self.live.publish(self.offset)
        assert (await self.bystander.next_event()).item == event
        assert self.bystander.connections == 1
        await eventually(lambda: self.live.server._crowd.open == 1)
        hub = self.live.server._hub
        assert len(hub._connections) == 1
        assert sum(len(channel.listeners()) for channel in hub._channels.values()) == 1


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Fuzzed]:
    with Fuzzed() as stage:
        yield stage


async def sent_in_parts(parts: Sequence[str]) -> AsyncIterator[str]:
    for part in parts:
        yield part


async def talk(socket: ClientConnection, messages: Sequence[Sent]) -> int | None:
    """Send everything; return the close code, None when the server still answers."""
    with contextlib.suppress(ConnectionClosed):
        for sent in messages:
            if sent.cut:
                await socket.send(sent_in_parts(sent.parts()))
            else:
                await socket.send(sent.data)
        await socket.send('{"type":"ping"}')
    asked = sum(1 for sent in messages if sent.data == '{"type": "ping"}')
    pongs = 0
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(10):
            async for message in socket:
                frame = frames.SERVER_FRAME.validate_json(message)
                pongs += isinstance(frame, frames.Pong)
                if pongs > asked:
                    return None
    return socket.close_code


def internal_errors() -> float:
    labels = {"server": "test", "code": "internal"}
    return REGISTRY.get_sample_value("laundryd_live_errors_total", labels) or 0.0


@settings(max_examples=200, deadline=None)
@given(messages=st.lists(MESSAGES, max_size=8), identified=st.booleans())
def test_whatever_is_sent_ends_as_the_contract_says_and_nobody_else_notices(
    fuzzed: Fuzzed, messages: list[Sent], *, identified: bool
) -> None:
    before = internal_errors()
    if identified:
        messages = [Sent(identify_text()), *messages]
    expected = expected_close([*messages, Sent('{"type":"ping"}')])

    async def example() -> None:
        async with fuzzed.live.raw("fuzzer:phone") as socket:
            assert await talk(socket, messages) == expected
        await fuzzed.nobody_noticed()

    fuzzed.runner.run(example())
    assert internal_errors() == before


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(min_size=1, max_size=300), identified=st.booleans())
def test_bytes_that_are_no_websocket_frames_disturb_nobody(
    fuzzed: Fuzzed, noise: bytes, *, identified: bool
) -> None:
    async def example() -> None:
        async with fuzzed.live.raw("fuzzer:phone") as socket:
            if identified:
                await socket.send(identify_text())
            socket.transport.write(noise)
            socket.transport.write_eof()
            with contextlib.suppress(ConnectionClosed):
                async with asyncio.timeout(10):
                    async for _ in socket:
                        pass
        await fuzzed.nobody_noticed()

    before = internal_errors()
    fuzzed.runner.run(example())
    assert internal_errors() == before


# -- who says they are somebody else, or stand where nobody ever was

EPOCHS = st.sampled_from([EPOCH, "e2", "", "한", "x" * 64])
OFFSETS = st.sampled_from([0, 1, 2**31, 2**53 - 1]) | st.integers(0, 400)
POSITIONS = st.none() | st.fixed_dictionaries({"epoch": EPOCHS, "offset": OFFSETS})
NAMED = st.dictionaries(
    st.sampled_from([ROOM, OTHER_ROOM, FOREIGN_ROOM, "no.where"]), POSITIONS, max_size=4
)
SESSIONS = st.sampled_from(["stolen", "its own", "rubbish", None])


@settings(max_examples=40, deadline=None)
@given(asked=st.lists(st.tuples(SESSIONS, NAMED), min_size=1, max_size=4))
def test_stolen_sessions_foreign_rooms_and_positions_from_the_future_get_nobody_anything(
    fuzzed: Fuzzed, asked: list[tuple[str | None, dict[str, dict[str, str | int] | None]]]
) -> None:
    async def identify(ids: dict[str | None, str | None], kind: str | None, rooms: object) -> None:
        async with fuzzed.live.raw("fuzzer:phone") as socket:
            await socket.send(identify_text(session_id=ids[kind], rooms=rooms))
            try:
                welcome = frames.SERVER_FRAME.validate_json(await socket.recv())
            except ConnectionClosed:
                # A name that the contract does not allow: nothing of it was looked at.
                assert socket.close_code == CloseCode.NOT_IDENTIFIED
                return
            assert isinstance(welcome, frames.Welcome)
            assert welcome.session_id != fuzzed.bystander.session_id
            assert set(welcome.rooms) <= {ROOM, OTHER_ROOM}
            for room, resume in welcome.rooms.items():
                named = rooms[room] if isinstance(rooms, dict) else None
                is_known = (
                    named is not None
                    and named["epoch"] == resume.epoch
                    and named["offset"] <= resume.offset
                )
                assert is_known or not resume.recovered
            ids["its own"] = welcome.session_id
            socket.transport.abort()

    async def example() -> None:
        stolen = fuzzed.bystander.session_id
        ids: dict[str | None, str | None] = {
            "stolen": stolen,
            "its own": None,
            "rubbish": "a" * 22,
            None: None,
        }
        for kind, rooms in asked:
            await identify(ids, kind, rooms)
        await fuzzed.nobody_noticed()
        assert fuzzed.bystander.session_id == stolen
        hub = fuzzed.live.server._hub
        # However many came: sessions, rooms and answers kept ready are as many as the settings say.
        assert len(fuzzed.live.server.all_sessions()) <= 1 + 20
        assert set(hub._channels) <= {ROOM}
        assert hub.replays._kept_events <= KEPT_EVENTS_MAX

    before = internal_errors()
    fuzzed.runner.run(example())
    assert internal_errors() == before


# -- nothing piles up


async def test_a_thousand_identifies_over_as_many_connections_leave_no_more_than_twenty() -> None:
    """Each connection of its own, with frames as large as may be, dropped without a word."""
    rooms = {f"site.room-{number}": {"epoch": "e1", "offset": 2**53 - 1} for number in range(19)}
    text = identify_text(rooms={ROOM: None, **rooms})
    async with running(linger_s=3_600) as live, live.client("bystander:phone") as bystander:
        await bystander.next_frame(frames.Mine)

        async def come_and_go(times: int) -> None:
            for _ in range(times):
                async with live.raw("fuzzer:phone") as socket:
                    await socket.send(text)
                    await socket.recv()
                    socket.transport.abort()
            await eventually(lambda: live.server._crowd.open == 1)

        await come_and_go(200)
        gc.collect()
        before = len(gc.get_objects())
        await come_and_go(800)
        gc.collect()
        assert len(gc.get_objects()) - before < 800, (
            "less than one object for each that came and went"
        )
        assert len(live.server.all_sessions()) == 1 + 20
        await live.publish(1)
        assert (await bystander.next_event()).item.offset == 1
        assert bystander.connections == 1


async def test_a_message_without_end_is_cut_off_at_the_servers_limit() -> None:
    async with running() as live, live.raw() as socket:
        await socket.send(identify_text())

        async def unending() -> AsyncIterator[str]:
            for _ in range(9):  # the ninth fragment is one too many
                yield "x" * 8_000
            await over.wait()

        over = asyncio.Event()
        sending = asyncio.create_task(socket.send(unending()))
        assert await closed(socket) == 1009
        over.set()
        with contextlib.suppress(ConnectionClosed):
            await sending


async def test_a_thousand_identifies_on_one_connection_are_two() -> None:
    async with running() as live, live.client("bystander:phone") as bystander:
        await bystander.next_frame(frames.Mine)
        await live.publish(1)
        rooms = {ROOM: {"epoch": "e1", "offset": 0}}
        async with live.raw() as socket:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(1_000):
                    await socket.send(identify_text(rooms=rooms))
            assert await closed(socket) == 4501
        assert live.desk.history_reads == 1
        await live.publish(2)
        assert [(await bystander.next_event()).item.offset for _ in range(2)] == [1, 2]


async def test_a_hundred_dropped_sessions_of_one_resident_are_twenty() -> None:
    async with running(linger_s=3_600) as live:
        for _ in range(100):
            async with live.raw() as socket:
                await socket.send(identify_text())
                await socket.recv()
                socket.transport.abort()
        await eventually(lambda: live.server._crowd.open == 0)
        assert len(live.server.all_sessions()) == 20
        assert live.server._hub._channels == {}


async def test_who_sends_faster_than_is_read_waits_and_fills_no_memory() -> None:
    """While the history is read nothing of this connection is taken in; the sender is held up."""
    async with running() as live, live.client("bystander:phone") as bystander:
        await bystander.next_frame(frames.Mine)
        await live.publish(1)
        await bystander.next_event()
        live.desk.gate.clear()
        async with live.raw() as socket:
            await socket.send(identify_text(rooms={ROOM: {"epoch": "e1", "offset": 0}}))
            await live.desk.at_gate.wait()
            taken = await flood(socket, 64 * 2**20)
            # What the kernel holds on both sides of a loopback connection, and a few messages of ours.
            assert taken < 16 * 2**20
            await live.publish(2)
            assert (await bystander.next_event()).item.offset == 2
            live.desk.gate.set()
            assert await closed(socket) == 4502


async def flood(socket: ClientConnection, size: int) -> int:
    """Send messages that are too large until nothing goes any more; return the bytes that went."""
    body = b"x" * 60_000
    message = b"\x81\xfe" + len(body).to_bytes(2, "big") + bytes(4) + body
    transport, written = socket.transport, 0
    with contextlib.suppress(TimeoutError):
        while written < size:
            transport.write(message)
            written += len(message)
            await eventually(lambda: transport.get_write_buffer_size() == 0, timeout_s=0.5)
    return written - transport.get_write_buffer_size()
