"""A sign-in link opens once and for a day; a session ends when it is revoked or left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiosqlite
import pytest

from cloud_relay.migrations import MIGRATIONS
from cloud_relay.staff.people import LINK_LIFE, SESSION_LIFE, Staff
from laundryd.daemon.problems import ProblemError
from laundryd.daemon.sqlite import open_database
from laundryd.wire.errors import ErrorCode

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
async def db() -> AsyncIterator[aiosqlite.Connection]:
    db = await open_database(None, MIGRATIONS)
    yield db
    await db.close()


async def refused(staff: Staff, secret: str, at: datetime = AT) -> bool:
    with pytest.raises(ProblemError) as found:
        await staff.sign_in(secret, at)
    return found.value.code is ErrorCode.STAFF_LINK_INVALID


async def test_a_link_signs_in_once(db: aiosqlite.Connection) -> None:
    staff = Staff(db)
    secret, expires_at = await staff.invite("Kim", AT)
    assert expires_at == AT + LINK_LIFE
    name, session = await staff.sign_in(secret, AT)
    assert name == "Kim"
    assert await staff.of_session(session, AT) == "Kim"
    assert await refused(staff, secret)
    assert await refused(staff, "x" * 32)


async def test_a_link_ends_with_its_day_and_when_a_newer_one_is_made(
    db: aiosqlite.Connection,
) -> None:
    staff = Staff(db)
    old, _ = await staff.invite("Kim", AT)
    new, _ = await staff.invite("Kim", AT)
    assert await refused(staff, old)
    assert await refused(staff, new, AT + LINK_LIFE)
    assert await refused(staff, new), "one that was tried too late is used up"


async def test_revoking_ends_sessions_and_links_at_once(db: aiosqlite.Connection) -> None:
    staff = Staff(db)
    secret, _ = await staff.invite("Kim", AT)
    _, session = await staff.sign_in(secret, AT)
    again, _ = await staff.invite("Kim", AT)
    assert [(row.name, row.signed_in) for row in await staff.everybody(AT)] == [("Kim", 1)]
    assert await staff.revoke("Kim")
    assert not await staff.revoke("Kim")
    assert await staff.of_session(session, AT) is None
    assert await refused(staff, again)
    assert await staff.everybody(AT) == []


async def test_a_session_in_use_lasts_and_one_that_is_left_ends(db: aiosqlite.Connection) -> None:
    staff = Staff(db)
    secret, _ = await staff.invite("Kim", AT)
    _, session = await staff.sign_in(secret, AT)
    at = AT
    for _ in range(4):
        at += SESSION_LIFE - timedelta(days=2)
        assert await staff.of_session(session, at) == "Kim"
    assert await staff.of_session(session, at + SESSION_LIFE) is None


async def test_no_secret_stands_in_the_database(db: aiosqlite.Connection) -> None:
    staff = Staff(db)
    secret, _ = await staff.invite("Kim", AT)
    _, session = await staff.sign_in(secret, AT)
    unused, _ = await staff.invite("Kim", AT)
    dump = "\n".join([line async for line in db.iterdump()])
    assert not any(one in dump for one in (secret, session, unused))


async def test_who_leaves_a_device_is_signed_out_there_alone(db: aiosqlite.Connection) -> None:
    staff = Staff(db)
    sessions = []
    for _ in range(2):
        secret, _ = await staff.invite("Kim", AT)
        sessions.append((await staff.sign_in(secret, AT))[1])
    await staff.sign_out(sessions[0])
    assert await staff.of_session(sessions[0], AT) is None
    assert await staff.of_session(sessions[1], AT) == "Kim"
