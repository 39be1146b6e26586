"""Both programs answer what their OpenAPI documents say, whatever is asked, and never with a 5xx."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloud_relay.migrations import MIGRATIONS
from cloud_relay.staff.people import Staff
from laundryd.daemon.sqlite import open_database
from laundryd.demo.broker import Mosquitto
from laundryd.demo.fcm_service import FcmService
from laundryd.demo.town import Town
from laundryd.demo.web import Web
from laundryd.wire.bodies import JoinBody, Joined
from tests.edge.local.conftest import CODE, set_code
from tests.edge.running import ROOM, EdgeProcess

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

EXAMPLES = 12
"""Random cases an operation, beside those that cover each field's edges."""
RUN_WITHIN_S = 200.0
CONFIG = """
seed = 1
continue-on-failure = true
[phases.stateful]
enabled = false
[generation]
max-examples = {examples}
no-shrink = true
[parameters]
"path.room" = "{room}"
"path.machine" = "w1"
{more}
"""
WITH_TOKEN = """
[auth.openapi.HTTPBearer]
bearer = "${{TOKEN}}"
"""
"""From the environment: a command line is seen by others."""
BEYOND_SCHEMA = """
[[operations]]
include-operation-id = "{operation}"
checks.positive_data_acceptance.expected-statuses = [
  "2xx", "401", "403", "404", "409", "422", "429"
]
"""
JUDGED = (
    "join",
    "command_machine",
    "subscribe",
    "set_preferences",
    "write_announcement",
    "edit_announcement",
)
"""What these refuse with 422 no schema can say: code or voucher, an id used for another wish, a machine's
own programmes, the push services that are known, the time zones of the world, what is past."""
STAFF = "staff"
"""The tag of what staff's session opens, and no resident's token."""
SIGNING_OUT = "staff_sign_out"
LEAVING = "forget_me"
"""After it the token opens nothing: it is asked by itself."""


async def answers_conform(
    url: str, folder: Path, *arguments: str, room: str, token: str | None
) -> None:
    """Run schemathesis over the whole document; fail with what it found."""
    config = folder / "schemathesis.toml"
    judged = "".join(BEYOND_SCHEMA.format(operation=operation) for operation in JUDGED)
    more = ("" if token is None else WITH_TOKEN.format()) + judged
    config.write_text(CONFIG.format(examples=EXAMPLES, room=room, more=more))
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "schemathesis"),
        "--config-file",
        str(config),
        "run",
        f"{url}/api/v1/openapi.json",
        "--header",
        f"Origin: {url}",
        *arguments,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "110", "TOKEN": token or ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(RUN_WITHIN_S):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, out.decode()
    assert token is None or token not in out.decode()


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with FcmService() as fcm, Town(speed=1, fcm=fcm) as running:
        yield running


async def joined(town: Town) -> Web:
    page = Web(town.http, town.relay_url)
    page.token = (await page.post("/join", JoinBody(code=town.join_code), Joined)).token
    return page


async def test_the_relay(town: Town, tmp_path: Path) -> None:
    page = await joined(town)
    room = town.room.key
    other = ("--exclude-operation-id", LEAVING, "--exclude-tag", STAFF)
    await answers_conform(town.relay_url, tmp_path, *other, room=room, token=page.token)
    page = await joined(town)
    only = ("--include-operation-id", LEAVING)
    await answers_conform(town.relay_url, tmp_path, *only, room=room, token=page.token)


async def test_what_staff_may_do_at_the_relay(town: Town, tmp_path: Path) -> None:
    db = await open_database(town.plan.relay_config.parent / "relay.db", MIGRATIONS)
    try:
        staff = Staff(db)
        secret, _ = await staff.invite("Kim", datetime.now(UTC))
        _, session = await staff.sign_in(secret, datetime.now(UTC))
    finally:
        await db.close()
    theirs = ("--include-tag", STAFF, "--exclude-operation-id", SIGNING_OUT)
    await answers_conform(town.relay_url, tmp_path, *theirs, room=town.room.key, token=session)


async def test_the_relay_without_a_token(town: Town, tmp_path: Path) -> None:
    await answers_conform(town.relay_url, tmp_path, room=town.room.key, token=None)


@pytest.fixture
async def edge(tmp_path: Path, mosquitto: Mosquitto) -> AsyncIterator[EdgeProcess]:
    """A room without a relay: its own residents join with its code."""
    edge = EdgeProcess(tmp_path / "edge", mosquitto.settings)
    await set_code(edge.data_dir, CODE, 1_000)
    await asyncio.to_thread(edge.start)
    yield edge
    assert await asyncio.to_thread(edge.stop) == 0, edge.log


async def test_the_edge(edge: EdgeProcess, tmp_path: Path) -> None:
    with edge.page() as page:
        answer = await asyncio.to_thread(page.post, "/api/v1/join", json={"code": CODE})
        token = answer.cookies["laundryd_edge"]
    await answers_conform(edge.origin, tmp_path, room=ROOM.key, token=token)
    assert '"level": "error"' not in edge.log


async def test_the_edge_without_a_token(edge: EdgeProcess, tmp_path: Path) -> None:
    await answers_conform(edge.origin, tmp_path, room=ROOM.key, token=None)
    assert '"level": "error"' not in edge.log
