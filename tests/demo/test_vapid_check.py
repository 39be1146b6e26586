from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laundryd.demo.vapid_check import (
    VapidFault,
    VapidRefusedError,
    base64url_decode,
    check_vapid,
)

if TYPE_CHECKING:
    from tests.demo.conftest import Sender

ORIGIN = "http://127.0.0.1:8000"
NOW_S = 1_795_000_000.0
DAY_S = 24 * 3600


def fault_of(sender: Sender, authorization: str | None, now_s: float = NOW_S) -> VapidFault:
    with pytest.raises(VapidRefusedError) as refused:
        check_vapid(
            authorization,
            origin=ORIGIN,
            subscription_key=base64url_decode(sender.public_key),
            now_s=now_s,
        )
    return refused.value.fault


@pytest.mark.parametrize("sub", ["mailto:ops@example.org", "https://example.org/contact"])
def test_a_right_token_gives_its_claims(sender: Sender, sub: str) -> None:
    authorization = sender.authorization(aud=ORIGIN, exp=NOW_S + DAY_S, sub=sub)
    claims = check_vapid(
        authorization,
        origin=ORIGIN,
        subscription_key=base64url_decode(sender.public_key),
        now_s=NOW_S,
    )
    assert (claims.aud, claims.exp, claims.sub) == (ORIGIN, NOW_S + DAY_S, sub)


def test_a_subscription_without_a_key_takes_any_sender(stranger: Sender) -> None:
    authorization = stranger.authorization(aud=ORIGIN, exp=NOW_S + 60)
    claims = check_vapid(authorization, origin=ORIGIN, subscription_key=None, now_s=NOW_S)
    assert claims.aud == ORIGIN


@pytest.mark.parametrize("authorization", [None, "", "Bearer abc", "WebPush abc"])
def test_no_vapid_header_is_missing(sender: Sender, authorization: str | None) -> None:
    assert fault_of(sender, authorization) is VapidFault.MISSING


@pytest.mark.parametrize("rest", ["", "t=abc", "k=abc", "t=, k=", "t=a.b.c, k=###", "nonsense"])
def test_a_header_that_lacks_a_part_is_malformed(sender: Sender, rest: str) -> None:
    assert fault_of(sender, f"vapid {rest}") is VapidFault.MALFORMED


def test_a_token_that_is_no_jwt_is_malformed(sender: Sender) -> None:
    assert fault_of(sender, f"vapid t=abc, k={sender.public_key}") is VapidFault.MALFORMED


def test_another_audience_is_refused(sender: Sender) -> None:
    authorization = sender.authorization(aud="https://push.example.org", exp=NOW_S + 60)
    assert fault_of(sender, authorization) is VapidFault.AUDIENCE


def test_an_expired_token_is_refused(sender: Sender) -> None:
    authorization = sender.authorization(aud=ORIGIN, exp=NOW_S)
    assert fault_of(sender, authorization) is VapidFault.EXPIRED


def test_more_than_a_day_ahead_is_refused(sender: Sender) -> None:
    authorization = sender.authorization(aud=ORIGIN, exp=NOW_S + DAY_S + 1)
    assert fault_of(sender, authorization) is VapidFault.EXPIRES_TOO_LATE


def test_another_senders_key_is_refused(sender: Sender, stranger: Sender) -> None:
    authorization = stranger.authorization(aud=ORIGIN, exp=NOW_S + 60)
    assert fault_of(sender, authorization) is VapidFault.OTHER_KEY


def test_a_token_signed_by_another_key_than_it_names_is_refused(
    sender: Sender, stranger: Sender
) -> None:
    authorization = stranger.authorization(aud=ORIGIN, exp=NOW_S + 60)
    token = authorization.removeprefix("vapid t=").partition(",")[0]
    assert fault_of(sender, f"vapid t={token}, k={sender.public_key}") is VapidFault.SIGNATURE


@pytest.mark.parametrize("sub", [None, "", "ops@example.org", "http://example.org"])
def test_a_subject_that_is_no_contact_is_refused(sender: Sender, sub: str | None) -> None:
    authorization = sender.authorization(aud=ORIGIN, exp=NOW_S + 60, sub=sub)
    assert fault_of(sender, authorization) is VapidFault.SUBJECT
