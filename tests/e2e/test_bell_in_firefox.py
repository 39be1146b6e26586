"""Firefox with its real PushManager: a bell that dies is noticed, and rings again."""

from __future__ import annotations

import pytest

from laundryd.demo.town import Town
from tests.e2e.browsers.bidi import JsonValue
from tests.e2e.browsers.firefox import Firefox
from tests.e2e.browsers.fixtures import LaunchFirefox
from tests.e2e.test_push_to_firefox import click
from tests.pwa import axe

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

BELLS = "fetch('/api/v1/push/subscriptions').then(r => r.json()).then(said => said.subscriptions)"
SUBSCRIPTION = "navigator.serviceWorker.ready.then(r => r.pushManager.getSubscription())"
ENDPOINT = f"{SUBSCRIPTION}.then(s => s.endpoint)"


def there(selector: str) -> str:
    """An expression that says whether something is on the page."""
    return f"!!document.querySelector('{selector}')"


async def assert_accessible_in(firefox: Firefox) -> None:
    """Fail with what axe finds wrong with the page as it stands."""
    run = f"async () => {{ {axe.source()}; return JSON.stringify(await ({axe.RUN})()); }}"
    said = axe.Judged.model_validate(await firefox.bidi.call(run, firefox.page))
    assert said.passed > 0
    assert said.found == [], "\n".join(said.found)


async def with_the_bell_on(firefox: Firefox, town: Town) -> None:
    """Join, switch the bell on, and go to its page."""
    await firefox.goto(town.relay_url)
    await firefox.grant(town.relay_url)
    await firefox.goto(town.join_url)
    await firefox.wait_for(there("[data-bell=off]"))
    await firefox.js("document.querySelector('[data-bell]').click()", as_user=True)
    await firefox.wait_for(there("[data-bell=on]"))
    await firefox.js("void (location.hash = 'page=bell')")
    await firefox.wait_for(there("[data-here=true][data-lost=false]"))


async def test_a_dead_bell_is_told_by_the_test_and_switched_on_again(
    town: Town, launch_firefox: LaunchFirefox
) -> None:
    firefox = await launch_firefox({"dom.push.serverURL": town.push.websocket_url})
    await with_the_bell_on(firefox, town)
    await firefox.wait_for(click("[data-testid=bell-test]"))
    await firefox.wait_for(there("[data-tried=accepted]"))
    await assert_accessible_in(firefox)
    shown = await firefox.notification("The bell works")
    assert shown.body == "Firefox on Linux: this is a test. This is how you are told."

    town.push.expire(str(await firefox.js(ENDPOINT)))
    await firefox.wait_for(click("[data-testid=bell-test]"))
    await firefox.wait_for(there("[data-tried=dead]"))
    await firefox.wait_for(there("[data-bell-said=off][data-bell-why=lost]"))
    await firefox.wait_for(there("[data-device][data-lost=true]"))

    await firefox.js("document.querySelector('[data-testid=bell-switch]').click()", as_user=True)
    await firefox.wait_for(there("[data-bell-said=on]"))
    await firefox.wait_for(click("[data-testid=bell-test]"))
    await firefox.wait_for(there("[data-tried=accepted]"))
    bells = await firefox.js(BELLS)
    assert isinstance(bells, list)
    assert len(bells) == 1


async def test_a_bell_that_died_unseen_is_renewed_at_the_next_start(
    town: Town, launch_firefox: LaunchFirefox
) -> None:
    firefox = await launch_firefox({"dom.push.serverURL": town.push.websocket_url})
    await with_the_bell_on(firefox, town)
    before = str(await firefox.js(ENDPOINT))
    town.push.expire(before)
    # The relay learns it by a push, here from another page's test.
    await firefox.js(
        "fetch('/api/v1/push/test', {method: 'POST', headers: {'Content-Type': 'application/json'},"
        " body: '{}'}).then(r => r.json())"
    )
    await firefox.goto(f"{town.relay_url}/?started-anew")
    await firefox.wait_for(there("[data-bell=on]"))
    # Between the dead one and the next there is none.
    await firefox.wait_for(f"({SUBSCRIPTION}).then(s => s !== null && s.endpoint !== '{before}')")
    await firefox.wait_for(f"({BELLS}).then(all => all.length === 1 && !all[0].lost)")


async def test_a_browser_that_lost_its_subscription_tells_the_relay_the_next_one_by_itself(
    town: Town, launch_firefox: LaunchFirefox
) -> None:
    firefox = await launch_firefox({"dom.push.serverURL": town.push.websocket_url})
    await with_the_bell_on(firefox, town)
    (before,) = await bells_of(firefox)
    await firefox.quit()
    town.push.forget_browsers()
    firefox = await launch_firefox({"dom.push.serverURL": town.push.websocket_url})
    # No page of the app: the service worker alone hears of it.
    await firefox.goto(f"{town.relay_url}/icons/icon.svg")
    await firefox.wait_for(
        f"({BELLS}).then(all => all.length === 1 && all[0].id !== '{before['id']}')", timeout_s=60
    )
    (after,) = await bells_of(firefox)
    assert (after["name"], after["here"], after["lost"]) == (before["name"], True, False)


async def bells_of(firefox: Firefox) -> list[dict[str, JsonValue]]:
    found = await firefox.js(BELLS)
    assert isinstance(found, list)
    return [one for one in found if isinstance(one, dict)]
