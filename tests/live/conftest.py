from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import pytest

from tests.live.stage import Stage, StartLive, running


@pytest.fixture
async def start_live() -> AsyncGenerator[StartLive]:
    async with contextlib.AsyncExitStack() as stack:

        async def start(**limits: object) -> Stage:
            return await stack.enter_async_context(running(**limits))

        yield start
