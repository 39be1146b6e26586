"""Framing beside another implementation of it: what `websockets` writes is read, and the other way."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame as TheirFrame
from websockets.frames import Opcode as TheirOpcode

from laundryd.wire.rfc6455 import (
    NO_CODE,
    Fault,
    Frame,
    FrameError,
    FrameReader,
    Opcode,
    close_frame,
    server_frame,
    unmasked,
)

LIMIT = 1_000


def client_frame(opcode: int, data: bytes, *, fin: bool = True) -> bytes:
    return TheirFrame(TheirOpcode(opcode), data, fin).serialize(mask=True)


def read_all(reader: FrameReader) -> list[Frame]:
    return list(iter(reader.next, None))


messages = st.tuples(
    st.sampled_from((Opcode.TEXT, Opcode.BINARY)),
    st.lists(st.binary(max_size=300), min_size=1, max_size=3),
)
controls = st.tuples(st.sampled_from((Opcode.PING, Opcode.PONG)), st.binary(max_size=125))


@given(
    said=st.lists(messages, max_size=5),
    between=st.lists(controls, max_size=15),
    cuts=st.lists(st.integers(1, 40), max_size=60),
)
def test_messages_come_whole_however_they_are_fragmented_and_cut(
    said: list[tuple[Opcode, list[bytes]]],
    between: list[tuple[Opcode, bytes]],
    cuts: list[int],
) -> None:
    sent, wanted, aside = b"", [], list(between)
    for opcode, parts in said:
        for number, part in enumerate(parts):
            kind = opcode if number == 0 else Opcode.CONT
            sent += client_frame(kind, part, fin=number == len(parts) - 1)
            if number == len(parts) - 1:
                wanted.append(Frame(opcode, b"".join(parts)))
            if aside:
                control, data = aside.pop()
                sent += client_frame(control, data)
                wanted.append(Frame(control, data))
    reader, found = FrameReader(LIMIT), []
    for cut in cuts:
        reader.feed(sent[:cut])
        sent = sent[cut:]
        found += read_all(reader)
    reader.feed(sent)
    assert found + read_all(reader) == wanted
    assert reader.waiting_bytes == 0


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_no_bytes_break_the_reader_but_by_its_own_error(chunks: list[bytes]) -> None:
    reader = FrameReader(LIMIT)
    with suppress(FrameError):
        for chunk in chunks:
            reader.feed(chunk)
            assert all(len(frame.data) <= LIMIT for frame in read_all(reader))


@given(st.binary(max_size=70_000), st.binary(min_size=4, max_size=4))
def test_a_mask_is_taken_off_as_it_was_put_on(data: bytes, mask: bytes) -> None:
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data[:500]))
    assert unmasked(masked, mask) == data[:500]
    assert unmasked(unmasked(data, mask), mask) == data


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_what_a_server_sends_is_as_others_write_it(size: int) -> None:
    data = bytes(size)
    theirs = TheirFrame(TheirOpcode.TEXT, data).serialize(mask=False)
    assert server_frame(Opcode.TEXT, data) == theirs


def test_a_close_frame_has_code_and_reason_and_a_long_reason_is_cut_between_letters() -> None:
    assert close_frame(4_001, "late")[2:] == b"\x0f\xa1late"
    assert close_frame(NO_CODE) == b"\x88\x00"
    long = close_frame(4_001, "세" * 100)
    assert len(long) <= 127
    assert set(long[4:].decode()) == {"세"}


def test_a_client_closes_with_a_code_or_without() -> None:
    reader = FrameReader(LIMIT, client_frame(8, b"\x03\xe8done") + client_frame(8, b""))
    assert [frame.close_code for frame in read_all(reader)] == [1000, NO_CODE]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x05hello", Fault.PROTOCOL),  # not masked
        (b"\xc1\x80\0\0\0\0", Fault.PROTOCOL),  # an extension's bit
        (b"\x83\x80\0\0\0\0", Fault.PROTOCOL),  # an unknown kind
        (b"\x09\x80\0\0\0\0", Fault.PROTOCOL),  # a ping in parts
        (b"\x89\xfe\0\x7e", Fault.PROTOCOL),  # a long ping
        (client_frame(0, b"x"), Fault.PROTOCOL),  # a continuation of nothing
        (client_frame(1, b"x", fin=False) + client_frame(1, b"y"), Fault.PROTOCOL),
        (client_frame(8, b"\x03"), Fault.PROTOCOL),  # half a code
        (client_frame(8, b"\x03\xed"), Fault.PROTOCOL),  # 1005 is never sent
        (client_frame(8, b"\x27\x10"), Fault.PROTOCOL),  # 10000 is none
        (client_frame(8, b"\x03\xe8\xff"), Fault.NOT_UTF8),
        (b"\x81\xfe\x03\xe9", Fault.TOO_LARGE),  # told from its head alone
        (b"\x81\xff\x7f" + b"\xff" * 7, Fault.TOO_LARGE),
        (b"\x81\xff" + b"\xff" * 8, Fault.PROTOCOL),  # the highest bit is 0
        (b"\x81\xfe\0\x05", Fault.PROTOCOL),  # a short length in two bytes
        (b"\x81\xff" + bytes(6) + b"\x01\0", Fault.PROTOCOL),  # one of two bytes in eight
        (client_frame(1, bytes(600), fin=False) + client_frame(0, bytes(401)), Fault.TOO_LARGE),
    ],
)
def test_who_breaks_the_protocol_is_told_how(sent: bytes, code: Fault) -> None:
    reader = FrameReader(LIMIT, sent)
    with pytest.raises(FrameError) as raised:
        read_all(reader)
    assert raised.value.code is code


def test_a_reader_that_gathers_leaves_others_alone() -> None:
    one, other = FrameReader(LIMIT), FrameReader(LIMIT)
    one.feed(client_frame(1, b"a", fin=False) + client_frame(0, b"b", fin=False))
    assert one.next() is None
    other.feed(client_frame(1, b"c"))
    assert other.next() == Frame(Opcode.TEXT, b"c")
    one.feed(client_frame(0, b"d"))
    assert one.next() == Frame(Opcode.TEXT, b"abd")
