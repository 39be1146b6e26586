from __future__ import annotations

import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laundryd.daemon.tokens import (
    RELAY_AUDIENCE,
    Claims,
    SigningKey,
    TokenRefusedError,
    sign_token,
    verify_document,
    verify_token,
    write_secret,
)
from laundryd.wire.uplink import VerifyKey

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EDGE = "edge:maple-hall/basement"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.load_or_create(tmp_path_factory.mktemp("keys") / "key.pem")


@pytest.fixture(scope="module")
def other_key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.load_or_create(tmp_path_factory.mktemp("keys") / "other.pem")


def token(key: SigningKey, audience: str = EDGE, issued_at: datetime = NOW) -> str:
    return sign_token(
        key,
        resident="anna",
        device="d-1",
        audience=audience,
        rooms=frozenset({"maple-hall.basement"}),
        issued_at=issued_at,
        expires_at=issued_at + timedelta(hours=1),
    )


def verified(text: str, key: SigningKey, audience: str = EDGE, now: datetime = NOW) -> Claims:
    return verify_token(text, {key.kid: key.verify_key}, audience, now)


def test_a_token_says_what_was_signed(key: SigningKey) -> None:
    claims = verified(token(key), key)
    assert (claims.resident, claims.device) == ("anna", "d-1")
    assert claims.rooms == {"maple-hall.basement"}
    assert claims.expires_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("late", "reason"),
    [
        (timedelta(minutes=59, seconds=59), None),
        (timedelta(hours=1), "expired"),
        (timedelta(days=400), "expired"),
        (timedelta(hours=-1), None),
        (timedelta(hours=-1, seconds=-1), "issued in the future"),
    ],
)
def test_a_token_has_its_time(key: SigningKey, late: timedelta, reason: str | None) -> None:
    if reason is None:
        verified(token(key), key, now=NOW + late)
    else:
        with pytest.raises(TokenRefusedError, match=reason):
            verified(token(key), key, now=NOW + late)


@pytest.mark.parametrize("audience", [RELAY_AUDIENCE, "edge:maple-hall/attic", "edge:oak/basement"])
def test_a_token_for_another_audience_is_refused(key: SigningKey, audience: str) -> None:
    with pytest.raises(TokenRefusedError, match=f"not for {EDGE}"):
        verified(token(key, audience), key)
    with pytest.raises(TokenRefusedError):
        verified(token(key), key, audience)


def test_a_token_of_an_unknown_key_is_refused(key: SigningKey, other_key: SigningKey) -> None:
    with pytest.raises(TokenRefusedError, match="a key that is not known here"):
        verified(token(other_key), key)


def test_a_token_under_a_borrowed_key_name_is_refused(
    key: SigningKey, other_key: SigningKey
) -> None:
    with pytest.raises(TokenRefusedError, match="InvalidSignature"):
        verify_token(token(other_key), {other_key.kid: key.verify_key}, EDGE, NOW)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_of_another_algorithm_is_refused(key: SigningKey, algorithm: str) -> None:
    # The public key as an HMAC secret is the classic forgery.
    said = {"sub": "anna", "dev": "d", "aud": EDGE, "iat": 0, "exp": 9_999_999_999}
    secret = "" if algorithm == "none" else key.verify_key.public_key
    forged = jwt.encode(said, secret, algorithm, headers={"kid": key.kid})
    with pytest.raises(TokenRefusedError):
        verified(forged, key)


@pytest.mark.parametrize("missing", ["sub", "dev", "aud", "iat", "exp"])
def test_a_token_that_leaves_something_out_is_refused(key: SigningKey, missing: str) -> None:
    said = {"sub": "anna", "dev": "d", "aud": EDGE, "iat": 0, "exp": 9_999_999_999}
    del said[missing]
    with pytest.raises(TokenRefusedError):
        verified(key.sign(said), key)


@pytest.mark.parametrize("field", ["iat", "exp", "rooms"])
def test_a_signed_token_with_odd_values_is_refused_and_breaks_nothing(
    key: SigningKey, field: str
) -> None:
    said = {"sub": "anna", "dev": "d", "aud": EDGE, "iat": 0, "exp": 9_999_999_999}
    odds: list[object] = ["soon", None, [], 1e30]
    for odd in odds:
        if field == "rooms" and odd in ("soon", []):
            continue  # harmless: no room at all
        with pytest.raises(TokenRefusedError):
            verified(key.sign({**said, field: odd}), key)


@given(st.text(max_size=200))
def test_no_text_at_all_breaks_the_check(text: str) -> None:
    with pytest.raises(TokenRefusedError) as caught:
        verify_token(text, {}, EDGE, NOW)
    assert len(text) < 8 or text not in str(caught.value)


def test_a_document_is_taken_from_its_signer_only(key: SigningKey, other_key: SigningKey) -> None:
    jws = key.sign({"version": 3, "aud": EDGE})
    assert verify_document(jws, key.verify_key) == {"version": 3, "aud": EDGE}
    with pytest.raises(TokenRefusedError, match=other_key.kid):
        verify_document(jws, other_key.verify_key)
    head, body, signature = jws.split(".")
    changed = base64.urlsafe_b64encode(json.dumps({"version": 4}).encode()).decode().rstrip("=")
    for bad in ("", "a.b.c", f"{head}.{changed}.{signature}", f"{head}.{body}."):
        with pytest.raises(TokenRefusedError):
            verify_document(bad, key.verify_key)


def test_a_public_key_that_is_none_refuses_everything(key: SigningKey) -> None:
    broken = VerifyKey(kid=key.kid, public_key="short")
    with pytest.raises(TokenRefusedError):
        verify_token(token(key), {key.kid: broken}, EDGE, NOW)


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "key.pem"
    made = SigningKey.load_or_create(path)
    assert SigningKey.load_or_create(path).verify_key == made.verify_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("nothing")
    with pytest.raises(ValueError, match=r"PEM|key"):
        SigningKey.load_or_create(path)


def test_a_secret_is_replaced_whole_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    for content in (b"one", b"two"):
        write_secret(path, content)
        assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == ["secret"]


def test_what_is_derived_from_a_key_is_its_own_and_for_one_purpose(
    key: SigningKey, other_key: SigningKey
) -> None:
    assert len(key.derive("sessions")) == 32
    assert key.derive("sessions") == SigningKey(key._private).derive("sessions")
    assert len({key.derive("sessions"), key.derive("else"), other_key.derive("sessions")}) == 3
