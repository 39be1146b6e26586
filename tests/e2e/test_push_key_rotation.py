"""Firefox subscribed under the relay's old key: told under it, moved to the new one, told under that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

import pytest

from cloud_relay.explaining import load
from cloud_relay.push.keys import old_path
from laundryd.demo.town import Town
from tests.e2e.browsers.firefox import Firefox
from tests.e2e.browsers.fixtures import LaunchFirefox
from tests.e2e.test_bell_in_firefox import BELLS, ENDPOINT, there, with_the_bell_on
from tests.e2e.town import admin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

DROPPED_WITHIN_S = 30.0
POLL_S = 0.05
SERVERS_KEY = "fetch('/api/v1/push/key').then(r => r.json()).then(said => said.key)"
HELD_KEY = """navigator.serviceWorker.ready.then(r => r.pushManager.getSubscription()).then(s =>
  btoa(String.fromCharCode(...new Uint8Array(s.options.applicationServerKey)))
    .replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=+$/, ''))"""


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with Town(speed=1, push_tls=False) as running:
        yield running


async def restarted(town: Town) -> None:
    """Restart the relay in order, as the command says to."""
    await town.relay.stop()
    await town.start_relay()


async def announced(town: Town, firefox: Firefox, title: str) -> None:
    """Announce something while no page is open, and wait until Firefox shows it."""
    words = ("--everybody", "--title-en", title, "--body-en", "The push still comes.")
    await admin(town, "announce", *words)
    await firefox.notification(title)


async def dropped(is_kept: Callable[[], bool]) -> None:
    """Wait until the relay has dropped a key."""
    ends_at = time.monotonic() + DROPPED_WITHIN_S
    while is_kept():
        assert time.monotonic() < ends_at, "nobody is subscribed under it, and the relay keeps it"
        await asyncio.sleep(POLL_S)


async def test_a_rotation_is_silent_for_nobody_and_the_old_key_ends(
    town: Town, launch_firefox: LaunchFirefox
) -> None:
    firefox = await launch_firefox({"dom.push.serverURL": town.push.websocket_url})
    await with_the_bell_on(firefox, town)
    old_key, old_endpoint = await firefox.js(SERVERS_KEY), str(await firefox.js(ENDPOINT))
    assert await firefox.js(HELD_KEY) == old_key
    await firefox.close_page()
    await announced(town, firefox, "Before it")

    await admin(town, "keys", "rotate")
    kept_old = old_path(load(town.plan.relay_config).keys.vapid)
    assert kept_old.exists()
    await restarted(town)
    # No page was opened since: Firefox holds the old key, and the relay still signs with it.
    await announced(town, firefox, "After it, under the old key")
    assert town.push.is_subscribed(old_endpoint)
    await restarted(town)
    assert kept_old.exists(), "somebody is still subscribed under it"

    await firefox.goto(town.relay_url)
    await firefox.wait_for(there("[data-bell=on]"))
    await firefox.wait_for(f"({ENDPOINT}).then(endpoint => endpoint !== '{old_endpoint}')")
    await firefox.wait_for(f"({BELLS}).then(all => all.length === 1 && !all[0].lost)")
    new_key, new_endpoint = await firefox.js(SERVERS_KEY), str(await firefox.js(ENDPOINT))
    assert new_key != old_key
    assert await firefox.js(HELD_KEY) == new_key
    assert not town.push.is_subscribed(old_endpoint)
    await firefox.close_page()
    await announced(town, firefox, "Under the new key")

    await restarted(town)
    await dropped(kept_old.exists)
    await announced(town, firefox, "With the new key alone")

    posts = town.push.posts
    assert [post.status for post in posts] == [HTTPStatus.CREATED] * 4, (
        "each is one push, and taken"
    )
    assert [post.vapid_fault for post in posts] == [None] * 4, (
        "each by the key it was subscribed with"
    )
    assert [post.endpoint for post in posts] == [old_endpoint] * 2 + [new_endpoint] * 2
