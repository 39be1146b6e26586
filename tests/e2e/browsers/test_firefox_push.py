from __future__ import annotations

import asyncio
import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from py_vapid import Vapid02
from pywebpush import WebPushException, webpush

from laundryd.demo.push_service import PushService
from tests.e2e.browsers.bidi import BidiError
from tests.e2e.browsers.firefox import Firefox, ShownNotification
from tests.e2e.browsers.fixtures import LaunchFirefox
from tests.e2e.browsers.push_site import PushSite

pytestmark = pytest.mark.e2e

SOON_S = 60.0


class Sender:
    """An application server that pushes with pywebpush."""

    def __init__(self) -> None:
        self._vapid = Vapid02()
        self._vapid.generate_keys()

    @property
    def public_key(self) -> str:
        point = self._vapid.public_key.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()

    async def push(
        self, subscription: object, message: dict[str, str], *, topic: str | None = None
    ) -> int:
        """Push, and return the status of the answer."""
        try:
            answer = await asyncio.to_thread(
                webpush,
                subscription,
                json.dumps(message),
                vapid_private_key=self._vapid,
                vapid_claims={"sub": "mailto:ops@example.org"},
                ttl=600,
                headers={"Topic": topic} if topic else None,
                timeout=SOON_S,
            )
        except WebPushException as error:
            return int(error.response.status_code)
        return int(answer.status_code)


@pytest.fixture
def sender() -> Sender:
    return Sender()


async def subscribe(firefox: Firefox, site: PushSite, sender: Sender) -> object:
    await firefox.goto(f"{site.origin}/")
    await firefox.grant(site.origin)
    return await firefox.js(f"subscribe('{sender.public_key}')")


async def test_a_firefox_whose_page_is_closed_shows_what_it_decrypted(
    firefox: Firefox, push_service: PushService, push_site: PushSite, sender: Sender
) -> None:
    subscription = await subscribe(firefox, push_site, sender)
    assert isinstance(subscription, dict)
    assert str(subscription["endpoint"]).startswith(push_service.origin)
    await firefox.close_page()
    message = {"title": "Washer 3 is done", "body": "세탁이 끝났어요"}
    assert await sender.push(subscription, message) == 201
    shown = await firefox.notification("Washer 3 is done")
    assert shown == ShownNotification("Washer 3 is done", "세탁이 끝났어요")
    await push_service.until(
        lambda: [ack.code for ack in push_service.acknowledgements] == [100], SOON_S, "an ack"
    )
    assert b"Washer" not in push_service.posts[0].body


async def test_a_click_on_the_notification_reaches_the_worker(
    firefox: Firefox, push_site: PushSite, sender: Sender
) -> None:
    subscription = await subscribe(firefox, push_site, sender)
    await firefox.close_page()
    await sender.push(subscription, {"title": "Washer 3 is done", "body": ""})
    await firefox.click_notification("Washer 3 is done")
    await firefox.adopt_page(f"{push_site.origin}/?clicked")
    assert await firefox.js("document.title") == "Push"
    assert await firefox.shown_notifications() == []


@pytest.mark.parametrize("how", ["quit", "kill"])
async def test_a_firefox_that_was_away_gets_the_newest_of_each_topic(
    launch_firefox: LaunchFirefox,
    push_service: PushService,
    push_site: PushSite,
    sender: Sender,
    how: str,
) -> None:
    firefox = await launch_firefox()
    subscription = await subscribe(firefox, push_site, sender)
    if how == "quit":
        await firefox.quit()
    else:
        await firefox.profile_kept(push_site.origin)
        await firefox.kill()
    await push_service.until(lambda: push_service.browsers_online == 0, SOON_S, "Firefox leaves")
    for title, topic in (("first", "a"), ("other", "b"), ("second", "a")):
        assert await sender.push(subscription, {"title": title, "body": ""}, topic=topic) == 201
    firefox = await launch_firefox()
    await firefox.notification("second")
    await firefox.notification("other")
    await push_service.until(
        lambda: len(push_service.acknowledgements) == 2, SOON_S, "two acknowledgements"
    )
    titles = {shown.title for shown in await firefox.shown_notifications()}
    assert titles == {"other", "second"}


async def test_a_tag_replaces_the_notification_on_the_screen(
    firefox: Firefox, push_site: PushSite, sender: Sender
) -> None:
    subscription = await subscribe(firefox, push_site, sender)
    await sender.push(subscription, {"title": "ending soon", "body": "", "tag": "washer-3"})
    await firefox.notification("ending soon")
    await sender.push(subscription, {"title": "done", "body": "", "tag": "washer-3"})
    await firefox.notification("done")
    assert [one.title for one in await firefox.shown_notifications()] == ["done"]


async def test_an_unsubscribed_firefox_is_gone_and_a_strangers_key_is_refused(
    firefox: Firefox, push_service: PushService, push_site: PushSite, sender: Sender
) -> None:
    subscription = await subscribe(firefox, push_site, sender)
    assert await Sender().push(subscription, {"title": "x", "body": ""}) == 401
    await firefox.js("subscription().then(s => s.unsubscribe())")
    assert isinstance(subscription, dict)
    endpoint = str(subscription["endpoint"])
    await push_service.until(
        lambda: not push_service.is_subscribed(endpoint), SOON_S, "Firefox unsubscribes"
    )
    assert await sender.push(subscription, {"title": "x", "body": ""}) == 410


async def test_a_refused_permission_refuses_the_subscription(
    firefox: Firefox, push_site: PushSite, sender: Sender
) -> None:
    await firefox.goto(f"{push_site.origin}/")
    await firefox.grant(push_site.origin, "denied")
    with pytest.raises(BidiError, match="NotAllowedError"):
        await firefox.js(f"subscribe('{sender.public_key}')")
