"""The app's shell in a real browser: the way in, the policy, offline, and pushes."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

    from .conftest import Shell

pytestmark = pytest.mark.e2e
NOTICE_ID = "0123456789abcdef0123456789abcdef"


async def test_a_visitor_sees_the_way_in_and_the_browser_has_no_complaint(shell: Shell) -> None:
    await shell.page.goto(shell.address)
    await shell.page.get_by_test_id("join-form").wait_for()
    assert await shell.page.locator("html").get_attribute("lang") == "ko"
    assert shell.complaints == []


async def test_a_refused_code_is_told_and_leaves_the_address_and_the_history(shell: Shell) -> None:
    await shell.page.goto(f"{shell.address}/#join=ABCD-EFGH")
    await shell.page.locator("[data-problem=join_code_invalid]").wait_for()
    assert shell.page.url == f"{shell.address}/"
    await shell.page.locator("[data-lang=en]").click()
    await shell.page.get_by_text("This code is not valid.").wait_for()
    assert shell.complaints == []


async def test_the_shell_opens_without_a_network(shell: Shell) -> None:
    await shell.page.goto(shell.address)
    await shell.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await shell.context.set_offline(True)
    response = await shell.page.reload()
    assert response is not None
    assert response.from_service_worker
    await shell.page.locator("[data-screen=away]").wait_for()


async def test_the_app_can_be_installed(shell: Shell) -> None:
    await shell.page.goto(shell.address)
    session = await shell.context.new_cdp_session(shell.page)
    found = await session.send("Page.getInstallabilityErrors")
    # The one that a private window always has.
    kinds = {error["errorId"] for error in found["installabilityErrors"]} - {"in-incognito"}
    assert kinds == set()


async def test_a_declarative_push_is_shown_as_it_says(shell: Shell) -> None:
    payload = {
        "web_push": 8030,
        "notification": {
            "title": "다 됐어요",
            "body": "세탁기 1: 세탁물을 꺼내 주세요.",
            "lang": "ko",
            "tag": NOTICE_ID,
            "navigate": f"{shell.address}/#room=maple-hall.basement",
            "data": {"notice_id": NOTICE_ID},
        },
    }
    shown = await pushed(shell, json.dumps(payload))
    assert shown == {
        "title": "다 됐어요",
        "body": "세탁기 1: 세탁물을 꺼내 주세요.",
        "tag": NOTICE_ID,
        "navigate": "/#room=maple-hall.basement",
    }


@pytest.mark.parametrize("payload", ["not json", "{}", '{"web_push":8030,"notification":[1]}'])
async def test_a_push_that_cannot_be_read_is_shown_all_the_same(shell: Shell, payload: str) -> None:
    shown = await pushed(shell, payload)
    assert shown["title"] == "laundryd"
    assert shown["navigate"] == "/"


async def pushed(shell: Shell, payload: str) -> dict[str, str]:
    """Let the browser hand ``payload`` to the service worker; return the notification it shows."""
    await shell.context.grant_permissions(["notifications"], origin=shell.address)
    await shell.page.goto(shell.address)
    # A worker that is still activating loses what DevTools hands to it.
    await shell.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await shell.page.wait_for_function(
        "navigator.serviceWorker.getRegistration().then((r) => r.active?.state === 'activated')"
    )
    session = await shell.context.new_cdp_session(shell.page)
    push = {
        "origin": shell.address,
        "registrationId": await registration_id(session),
        "data": payload,
    }
    for _ in range(DELIVERIES):
        # DevTools says nothing when a worker that is just being started loses it; one tag shows it once.
        await session.send("ServiceWorker.deliverPushMessage", push)
        handle = await shell.page.evaluate_handle(SHOWN_WITHIN, SHOWN_WITHIN_MS)
        shown = await handle.json_value()
        if shown is not None:
            assert isinstance(shown, dict)
            return shown
    raise AssertionError(f"{DELIVERIES} pushes, and no notification is shown")


DELIVERIES = 4
SHOWN_WITHIN_MS = 10_000
SHOWN_WITHIN = """async (within_ms) => {
    const registration = await navigator.serviceWorker.ready;
    const until = performance.now() + within_ms;
    while (performance.now() < until) {
        const [one] = await registration.getNotifications();
        if (one) {
            const { title, body, tag, data } = one;
            return { title, body, tag, navigate: data.navigate };
        }
        // Not an animation frame: a page that is not painted gets none.
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return null;
}"""


async def registration_id(session: CDPSession) -> str:
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def updated(event: dict[str, list[dict[str, str]]]) -> None:
        if event["registrations"] and not found.done():
            found.set_result(event["registrations"][0]["registrationId"])

    session.on("ServiceWorker.workerRegistrationUpdated", updated)
    await session.send("ServiceWorker.enable")
    return await asyncio.wait_for(found, 10)
