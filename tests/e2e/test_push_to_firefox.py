"""Firefox, subscribed with the relay's own key, its page closed, shows what it decrypted."""

from __future__ import annotations

import pytest

from laundryd.demo.town import Town
from tests.e2e.browsers.firefox import Firefox
from tests.e2e.browsers.fixtures import LaunchFirefox
from tests.e2e.town import admin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SOON_S = 60.0
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


async def with_a_bell(firefox: Firefox, town: Town) -> None:
    """Join, and switch the bell on."""
    await firefox.goto(town.relay_url)
    await firefox.grant(town.relay_url)
    await firefox.goto(town.join_url)
    await firefox.wait_for("!!document.querySelector('[data-screen=room][data-connection=live]')")
    await firefox.wait_for("!!document.querySelector('[data-bell=off]')")
    await firefox.js("document.querySelector('[data-bell]').click()", as_user=True)
    await firefox.wait_for("!!document.querySelector('[data-bell=on]')")


async def test_a_closed_page_gets_its_wash_by_push(
    town: Town, launch_firefox: LaunchFirefox
) -> None:
    firefox = await launch_firefox({"dom.push.serverURL": town.push.websocket_url})
    await with_a_bell(firefox, town)
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


async def test_a_browser_that_was_off_shows_what_waited_and_a_click_leads_to_the_room(
    town: Town, launch_firefox: LaunchFirefox
) -> None:
    pushed_here = {"dom.push.serverURL": town.push.websocket_url}
    firefox = await launch_firefox(pushed_here)
    await with_a_bell(firefox, town)
    await firefox.quit()
    await town.push.until(lambda: town.push.browsers_online == 0, SOON_S, "Firefox leaves")
    for title in ("Water off", "Water on"):
        await admin(town, "announce", "--everybody", "--title-en", title, "--body-en", "Today.")
    await town.push.until(lambda: len(town.push.posts) == 2, SOON_S, "two pushes wait")

    firefox = await launch_firefox(pushed_here)
    for title in ("Water off", "Water on"):
        assert (await firefox.notification(title)).body == "Today."
    await firefox.click_notification("Water on")
    await firefox.adopt_page(f"{town.relay_url}/#room={town.room.key}")
    await firefox.wait_for(f"!!document.querySelector('main[data-room=\"{town.room.key}\"]')")
    assert [post.status for post in town.push.posts] == [201, 201], "each is one push"
