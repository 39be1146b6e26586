"""Firefox, subscribed with the relay's own key, its page closed, shows what it decrypted."""

from __future__ import annotations

import pytest

from laundryd.demo.town import Town
from tests.e2e.browsers.fixtures import LaunchFirefox

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SET_MINUTES = """(() => {
  const field = document.querySelector('[data-testid=start-minutes]');
  field.value = '12';
  field.dispatchEvent(new Event('input', {bubbles: true}));
  return true;
})()"""


def click(selector: str) -> str:
    """An expression that clicks what is there, and is null until it is there."""
    return (
        f"(() => {{ const found = document.querySelector('{selector}');"
        " if (!found || found.disabled) return null; found.click(); return true; })()"
    )


async def test_a_closed_page_gets_its_wash_by_push(
    town: Town, launch_firefox: LaunchFirefox
) -> None:
    firefox = await launch_firefox({"dom.push.serverURL": town.push.websocket_url})
    await firefox.goto(town.relay_url)
    await firefox.grant(town.relay_url)
    await firefox.goto(town.join_url)
    await firefox.wait_for("!!document.querySelector('[data-screen=room][data-connection=live]')")
    await firefox.wait_for("!!document.querySelector('[data-bell=off]')")
    await firefox.js("document.querySelector('[data-bell]').click()", as_user=True)
    await firefox.wait_for("!!document.querySelector('[data-bell=on]')")

    await firefox.wait_for(click("[data-machine=w1] [data-command=start]"))
    await firefox.wait_for("!!document.querySelector('[data-testid=start-minutes]')")
    await firefox.js(SET_MINUTES)
    await firefox.wait_for(click("[data-minutes=typed]"))
    await firefox.wait_for("!!document.querySelector('[data-machine=w1][data-phase=in_use]')")
    town.plug("w1").run_programme(12)
    await firefox.close_page()

    soon = await firefox.notification("Ending soon", timeout_s=60)
    assert soon.body.startswith("Washer 1 will be done in about")
    done = await firefox.notification("Done", timeout_s=60)
    assert done.body == "Washer 1 is done. Please collect your laundry."
    delivered = [post for post in town.push.posts if post.status == 201]
    assert len(delivered) == 2, "each notice is one push"
    assert all(b"Washer" not in post.body for post in delivered), "the push service reads nothing"
    assert all(post.vapid_fault is None for post in delivered)
