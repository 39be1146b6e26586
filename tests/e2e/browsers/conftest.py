from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.e2e.browsers.push_site import PushSite


@pytest.fixture
async def push_site() -> AsyncIterator[PushSite]:
    site = PushSite()
    await site.start()
    yield site
    await site.stop()
