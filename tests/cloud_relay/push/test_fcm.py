"""The real firebase-admin against a local FCM that judges it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import requests
from firebase_admin import exceptions
from google.auth.exceptions import RefreshError, TransportError

from cloud_relay.errors import SetupError
from cloud_relay.push.fcm import QUOTA_WAIT_S, FcmSender, of_error
from cloud_relay.push.lanes import PLACES
from cloud_relay.push.outcomes import ANSWERS, Outcome, Result, result_of
from cloud_relay.push.service_account import ServiceAccount, load_service_account
from cloud_relay.push.subscriptions import Subscription, Way
from laundryd.daemon.clock import Clock
from laundryd.demo.fcm_service import ERRORS, FcmAnswer, FcmService
from laundryd.wire.notices import Lang
from tests.cloud_relay.push.test_webpush import fresh_card

URL = "https://laundry.example.org"
TAKEN = Result(Outcome.SENT)


@pytest.fixture
async def fcm() -> AsyncIterator[FcmService]:
    async with FcmService() as service:
        yield service


@asynccontextmanager
async def sending(
    fcm: FcmService, folder: Path, *, timeout_s: float = 10.0
) -> AsyncGenerator[FcmSender]:
    account = load_service_account(fcm.key_file(folder))
    async with FcmSender(
        account, Clock(), public_url=URL, timeout_s=timeout_s, origin=fcm.origin
    ) as sender:
        yield sender


def registered(token: str, lang: Lang = Lang.EN) -> Subscription:
    return Subscription("sub", token, "", "", lang, way=Way.FCM)


async def test_a_device_gets_the_notice_in_its_residents_language(
    fcm: FcmService, tmp_path: Path
) -> None:
    card, token = fresh_card(), fcm.new_token()
    async with sending(fcm, tmp_path) as sender:
        assert await sender.send(card, registered(token, Lang.KO)) == TAKEN
    (message,) = fcm.messages
    shown = message.payload["notification"]
    assert isinstance(shown, dict)
    assert (message.token, shown["tag"], message.topic) == (token, card.id, card.id)
    assert shown["body"] == "W1: 세탁물을 꺼내 주세요."
    assert message.urgency == "high"
    assert 12 * 3600 - 10 <= message.ttl_s <= 12 * 3600
    assert message.android["collapse_key"] == card.id


EXPECTED = {
    "INVALID_ARGUMENT": Result(Outcome.REFUSED, "fcm_invalid_argument"),
    "THIRD_PARTY_AUTH_ERROR": Result(Outcome.REFUSED, "fcm_third_party_auth_error"),
    "SENDER_ID_MISMATCH": Result(Outcome.REFUSED, "fcm_sender_id_mismatch"),
    "UNREGISTERED": Result(Outcome.GONE, "fcm_unregistered"),
    "QUOTA_EXCEEDED": Result(Outcome.LATER, "fcm_quota_exceeded", QUOTA_WAIT_S),
    "INTERNAL": Result(Outcome.LATER, "fcm_internal"),
    "UNAVAILABLE": Result(Outcome.LATER, "fcm_unavailable"),
}
ALERTED = {"INVALID_ARGUMENT", "THIRD_PARTY_AUTH_ERROR", "SENDER_ID_MISMATCH"}


@pytest.mark.parametrize("error", sorted(ERRORS))
async def test_each_error_of_fcms_has_its_row_and_the_library_tries_nothing_again(
    fcm: FcmService, tmp_path: Path, error: str
) -> None:
    fcm.answer_always(FcmAnswer(error))
    async with sending(fcm, tmp_path) as sender:
        assert await sender.send(fresh_card(), registered(fcm.new_token())) == EXPECTED[error]
    # A 401 may be an access token that is over: that alone is asked for anew, once.
    assert len(fcm.posts) == (2 if ERRORS[error][0] == 401 else 1)
    assert ANSWERS[EXPECTED[error].detail].alert == (error in ALERTED)


@pytest.mark.parametrize("error", ["QUOTA_EXCEEDED", "UNAVAILABLE"])
async def test_the_wish_to_wait_is_kept(fcm: FcmService, tmp_path: Path, error: str) -> None:
    fcm.answer_next(FcmAnswer(error, headers={"Retry-After": "17"}))
    async with sending(fcm, tmp_path) as sender:
        result = await sender.send(fresh_card(), registered(fcm.new_token()))
    assert result.retry_after_s == 17.0
    assert len(fcm.posts) == 1


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        ("INVALID_ARGUMENT", "fcm_invalid_argument"),
        ("SENDER_ID_MISMATCH", "fcm_permission_denied"),
        ("THIRD_PARTY_AUTH_ERROR", "fcm_unauthenticated"),
        ("UNREGISTERED", "fcm_other"),
        ("QUOTA_EXCEEDED", "fcm_quota_exceeded"),
        ("INTERNAL", "fcm_internal"),
        ("UNAVAILABLE", "fcm_unavailable"),
    ],
)
async def test_a_404_that_does_not_say_unregistered_deletes_nothing(
    fcm: FcmService, tmp_path: Path, error: str, detail: str
) -> None:
    fcm.answer_always(FcmAnswer(error, bare=True))
    async with sending(fcm, tmp_path) as sender:
        result = await sender.send(fresh_card(), registered(fcm.new_token()))
    assert result.detail == detail
    assert result.outcome is not Outcome.GONE


async def test_a_token_that_fcm_has_forgotten_is_gone(fcm: FcmService, tmp_path: Path) -> None:
    token = fcm.new_token()
    fcm.forget(token)
    async with sending(fcm, tmp_path) as sender:
        assert await sender.send(fresh_card(), registered(token)) == EXPECTED["UNREGISTERED"]


async def test_one_that_hangs_is_lost_or_is_away_is_tried_later(
    fcm: FcmService, tmp_path: Path
) -> None:
    phone = registered(fcm.new_token())
    async with sending(fcm, tmp_path, timeout_s=0.5) as sender:
        fcm.answer_next(FcmAnswer(hangs=True), FcmAnswer(drops=True))
        assert await sender.send(fresh_card(), phone) == result_of("timeout")
        fcm.release()
        assert await sender.send(fresh_card(), phone) == result_of("connection")
        await fcm.stop()
        assert await sender.send(fresh_card(), phone) == result_of("connection")
    assert len(fcm.posts) == 2


async def test_a_service_account_that_google_refuses_is_ours_to_mend(
    fcm: FcmService, tmp_path: Path
) -> None:
    fcm.refuses_account = True
    async with sending(fcm, tmp_path) as sender:
        result = await sender.send(fresh_card(), registered(fcm.new_token()))
    assert result == Result(Outcome.REFUSED, "fcm_credentials")
    assert ANSWERS[result.detail].alert
    assert fcm.posts == []


async def test_who_gives_access_tokens_may_be_away(fcm: FcmService, tmp_path: Path) -> None:
    async with sending(fcm, tmp_path) as sender:
        await fcm.stop()
        result = await sender.send(fresh_card(), registered(fcm.new_token()))
    assert result == Result(Outcome.LATER, "connection")


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (RefreshError("a 503", retryable=True), "fcm_unavailable"),
        (RefreshError("invalid_grant", retryable=False), "fcm_credentials"),
        (TransportError("nobody there"), "connection"),
        (KeyError("name"), "not_http"),
        (exceptions.UnknownError("no JSON", cause=ValueError()), "not_http"),
        (exceptions.UnavailableError("TLS", cause=requests.exceptions.SSLError()), "tls"),
    ],
)
def test_what_comes_of_no_answer(error: Exception, detail: str) -> None:
    assert of_error(error, Clock().now()) == result_of(detail)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(302, Outcome.REFUSED), (418, Outcome.REFUSED), (502, Outcome.LATER), (504, Outcome.LATER)],
)
def test_an_answer_that_is_none_of_fcms_deletes_nothing(status: int, outcome: Outcome) -> None:
    answer = requests.Response()
    answer.status_code = status
    error = exceptions.UnknownError("a proxy's page", http_response=answer)
    assert of_error(error, Clock().now()).outcome is outcome


async def test_an_access_token_that_is_over_is_renewed(fcm: FcmService, tmp_path: Path) -> None:
    phone = registered(fcm.new_token())
    async with sending(fcm, tmp_path) as sender:
        assert await sender.send(fresh_card(), phone) == TAKEN
        fcm.account.access.clear()
        assert await sender.send(fresh_card(), phone) == TAKEN
    assert [post.status for post in fcm.posts] == [200, 401, 200]
    assert fcm.grants == 2


async def test_many_at_once_ask_for_one_access_token(fcm: FcmService, tmp_path: Path) -> None:
    phones = [registered(fcm.new_token()) for _ in range(2 * PLACES)]
    async with sending(fcm, tmp_path) as sender:
        results = await asyncio.gather(*(sender.send(fresh_card(), phone) for phone in phones))
    assert set(results) == {TAKEN}
    assert {one.token for one in fcm.messages} == {phone.endpoint for phone in phones}
    assert fcm.grants == 1


async def test_a_notice_past_its_use_is_not_sent(fcm: FcmService, tmp_path: Path) -> None:
    late = fresh_card().model_copy(update={"useful_until": Clock().now()})
    async with sending(fcm, tmp_path) as sender:
        assert await sender.send(late, registered(fcm.new_token())) == result_of("not_useful")
    assert fcm.posts == []


async def test_a_key_that_is_none_stops_the_start_and_is_not_shown() -> None:
    content = {"type": "service_account", "project_id": "p", "client_email": "e", "token_uri": "t"}
    account = ServiceAccount("p", {**content, "private_key": "secret-key"})
    with pytest.raises(SetupError) as caught:
        await FcmSender(account, Clock(), public_url=URL).__aenter__()
    assert "secret-key" not in str(caught.value)
    assert "secret-key" not in repr(account)
