from __future__ import annotations

import subprocess
import sys

import pytest

from cloud_relay.push.lanes import PLACES
from cloud_relay.push.outcomes import ANSWERS, Outcome, Result
from cloud_relay.push.senders import Senders
from cloud_relay.push.subscriptions import Subscription, Way
from laundryd.wire.notices import Lang
from tests.cloud_relay.world import ME, Postman, entry, notice, relay

BROWSER = Subscription("browser", "https://fcm.googleapis.com/send/x", "", "", Lang.EN)
PHONE = Subscription("phone", "a-token", "", "", Lang.EN, way=Way.FCM)


async def test_each_device_is_sent_to_in_its_own_way_once() -> None:
    web_push, fcm = Postman(), Postman()
    async with relay(None, sender=Senders(web_push, fcm)) as world:
        world.subscribers.of[ME] = [BROWSER, PHONE]
        await world.begin()
        await world.events(entry(1, notices=[notice(1)]))
        await world.push_due()
        assert web_push.sent == [(notice(1).id, "browser")]
        assert fcm.sent == [(notice(1).id, "phone")]
        assert world.queue.counts == {Outcome.SENT: 2}


async def test_without_a_configuration_web_push_goes_on_and_staff_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    web_push = Postman()
    async with relay(None, sender=Senders(web_push)) as world:
        world.subscribers.of[ME] = [BROWSER, PHONE]
        await world.begin()
        await world.events(entry(1, notices=[notice(1)]))
        await world.push_due()
        assert world.subscribers.sent == ["browser"]
        assert world.subscribers.errors == [("phone", "fcm_off")]
        assert await world.state_of(notice(1).id) == "pushed"
    assert ANSWERS["fcm_off"].alert
    assert "fcm refuses our pushes (fcm_off" in caplog.text


async def test_an_outage_of_fcms_holds_back_no_push_to_chromes_own_service() -> None:
    assert BROWSER.service != PHONE.service
    down = Postman({"phone": [Result(Outcome.LATER, "fcm_unavailable")] * 3})
    async with relay(None, sender=Senders(Postman(), down)) as world:
        world.subscribers.of[ME] = [BROWSER, PHONE]
        await world.begin()
        await world.events(entry(1, notices=[notice(1)]))
        await world.push_due()
        assert world.subscribers.sent == ["browser"]
        assert world.queue._lanes[PHONE.service].places == PLACES / 2
        assert await world.state_of(notice(1).id) == "pushed", "to the browser"
        for _ in range(3):
            world.clock.forward(60)
            await world.push_due()
        assert world.subscribers.sent == ["browser", "phone"], "which waited, and is told too"


def test_a_relay_without_fcm_does_not_load_the_library() -> None:
    code = (
        "import sys, cloud_relay.app;"
        "print([name for name in ('firebase_admin', 'google.auth') if name in sys.modules])"
    )
    said = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_one_with_fcm_loads_none_of_the_databases_that_the_library_brings() -> None:
    code = (
        "import sys, cloud_relay.push.fcm;"
        "print([name for name in ('grpc', 'google.cloud.firestore') if name in sys.modules])"
    )
    said = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
