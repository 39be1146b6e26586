from __future__ import annotations

import asyncio

from tests.live.stage import StartLive


async def test_a_page_that_is_online_again_does_not_wait_for_its_next_try(
    start_live: StartLive,
) -> None:
    live = await start_live(backoff_first_s=60.0, backoff_cap_s=60.0)
    async with live.client() as client:
        await client.welcomed()
        client.drop()
        async with asyncio.timeout(5):
            while client.connections < 2:
                client.try_now()
                await asyncio.sleep(0.05)  # the drop takes a turn or two of the loop to be noticed
