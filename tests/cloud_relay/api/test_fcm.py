"""An Android device's token at the relay's real web side, and pushes to it by the real library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from cloud_relay.api.application import FIREBASE
from cloud_relay.errors import SetupError
from laundryd.demo.fcm_account import PROJECT_ID
from laundryd.demo.fcm_service import WEB, FcmAnswer, FcmService
from laundryd.wire.errors import ErrorCode
from tests.cloud_relay.api.conftest import opened
from tests.cloud_relay.api.test_bells import BELLS, TEST, bells
from tests.cloud_relay.api.test_residents_path import subscription

if TYPE_CHECKING:
    from tests.cloud_relay.api.conftest import Api

KEY = "/api/v1/push/key"
FCM = "/api/v1/push/fcm"


async def join(api: Api, browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/api/v1/join", json={"code": api.codes["maple-hall.north"]})
    assert answer.status_code == 200, answer.text


async def test_the_app_is_told_the_project_and_nothing_secret_of_it(
    fcm_api: Api, fcm: FcmService
) -> None:
    async with fcm_api.browser() as browser:
        answer = await browser.get(KEY)
    assert answer.json()["fcm"] == {"project_id": PROJECT_ID, **WEB}
    for origin in FIREBASE:
        assert origin in answer.headers["content-security-policy"]
    assert fcm.grants == 0, "nothing is asked of Google before there is something to send"


async def test_a_relay_without_fcm_offers_none_and_its_pages_may_ask_nobody_else(
    joined: httpx.AsyncClient, fcm: FcmService
) -> None:
    answer = await joined.get(KEY)
    assert answer.json()["fcm"] is None
    assert "https:" not in answer.headers["content-security-policy"]
    refused = await joined.put(FCM, json={"token": fcm.new_token()})
    assert (refused.status_code, refused.json()["code"]) == (404, ErrorCode.NOT_FOUND)
    assert await bells(joined) == []


async def test_a_registered_device_is_pushed_to_and_one_that_fcm_forgot_registers_anew(
    fcm_api: Api, fcm: FcmService
) -> None:
    token = fcm.new_token()
    body = {"token": token, "name": "Chrome on Android"}
    async with fcm_api.browser() as browser:
        assert (await browser.put(FCM, json=body)).status_code == 401
        await join(fcm_api, browser)
        assert (await browser.put(FCM, json=body)).status_code == 204
        assert (await browser.get("/api/v1/me")).json()["push"] is True
        (bell,) = await bells(browser)
        assert (bell["name"], bell["here"], bell["lost"]) == ("Chrome on Android", True, False)
        assert token not in str(bell)
        (tried,) = (await browser.post(TEST, json={})).json()["tried"]
        assert tried["outcome"] == "accepted"
        assert [one.token for one in fcm.messages] == [token]
        # The next start of the app: the same token.
        assert (await browser.put(FCM, json=body)).status_code == 204
        (again,) = await bells(browser)
        assert again["id"] == bell["id"]
        fcm.forget(token)
        (tried,) = (await browser.post(TEST, json={})).json()["tried"]
        assert (tried["outcome"], tried["kind"]) == ("dead", "fcm_unregistered")
        me = (await browser.get("/api/v1/me")).json()
        assert (me["push"], me["push_lost_at"] is None) == (False, False)
        refused = await browser.put(FCM, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, ErrorCode.SUBSCRIPTION_DEAD)
        renewed = {**body, "token": fcm.new_token()}
        assert (await browser.put(FCM, json=renewed)).status_code == 204
        me = (await browser.get("/api/v1/me")).json()
        assert (me["push"], me["push_lost_at"]) == (True, None)


async def test_a_device_has_one_way_and_is_told_once(fcm_api: Api, fcm: FcmService) -> None:
    async with fcm_api.browser() as browser:
        await join(fcm_api, browser)
        assert (await browser.put(BELLS, json=subscription("phone"))).status_code == 204
        for _ in range(2):
            assert (await browser.put(FCM, json={"token": fcm.new_token()})).status_code == 204
        assert len(await bells(browser)) == 1
        assert len((await browser.post(TEST, json={})).json()["tried"]) == 1
        assert len(fcm.messages) == 1
        assert (await browser.put(BELLS, json=subscription("phone"))).status_code == 204
        assert len(await bells(browser)) == 1
        assert (await browser.delete(BELLS, headers={})).status_code == 204
        assert await bells(browser) == []


async def test_trouble_at_fcm_stands_with_the_bell(fcm_api: Api, fcm: FcmService) -> None:
    async with fcm_api.browser() as browser:
        await join(fcm_api, browser)
        await browser.put(FCM, json={"token": fcm.new_token()})
        fcm.answer_next(FcmAnswer("SENDER_ID_MISMATCH"))
        (tried,) = (await browser.post(TEST, json={})).json()["tried"]
        assert (tried["outcome"], tried["kind"]) == ("refused", "fcm_sender_id_mismatch")
        (bell,) = await bells(browser)
        fault = bell["fault"]
        assert isinstance(fault, dict)
        assert fault["kind"] == "fcm_sender_id_mismatch"
        assert bell["lost"] is False


@pytest.mark.parametrize("token", ["", "short", "x" * 1001, "a b" * 20, "<script>" * 5, None, 7])
async def test_what_is_no_token_is_refused(fcm_api: Api, token: object) -> None:
    async with fcm_api.browser() as browser:
        await join(fcm_api, browser)
        answer = await browser.put(FCM, json={"token": token})
    assert (answer.status_code, answer.json()["code"]) == (422, ErrorCode.INVALID_BODY)


async def test_a_relay_does_not_start_with_a_service_account_that_is_not_there(
    tmp_path: Path, fcm: FcmService
) -> None:
    settings = fcm.settings(tmp_path)
    (tmp_path / "service-account.json").unlink()
    with pytest.raises(SetupError, match=r"service-account\.json: cannot be read"):
        async with opened(tmp_path, {"fcm": settings}):
            pass
