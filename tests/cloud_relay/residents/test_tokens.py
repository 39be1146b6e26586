"""A signature is checked once; expiry, and what was never signed, every time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud_relay.push.keys import old_path, set_aside
from cloud_relay.residents import tokens as module
from cloud_relay.residents.tokens import TOKEN_LIFE, Tokens, old_signing_key
from laundryd.daemon import tokens as signatures
from laundryd.daemon.tokens import Claims, SigningKey, TokenRefusedError
from laundryd.wire.uplink import VerifyKey

AT = datetime(2026, 1, 5, 18, 30, tzinfo=UTC)


class Counted:
    """Counts how often a signature is checked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        monkeypatch.setattr(module, "read_token", self.read)

    def read(self, token: str, keys: dict[str, VerifyKey], audience: str) -> Claims:
        self.count += 1
        return signatures.read_token(token, keys, audience)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(SigningKey.load_or_create(tmp_path / "key.pem"))


def test_a_signature_is_checked_once(tokens: Tokens, counted: Counted) -> None:
    token = tokens.issue("ann", "phone", AT)
    found = [tokens.check(token, AT + timedelta(days=day)) for day in range(3)]
    assert {(one.resident, one.device) for one in found} == {("ann", "phone")}
    assert counted.count == 1


def test_a_token_that_was_good_expires_all_the_same(tokens: Tokens, counted: Counted) -> None:
    token = tokens.issue("ann", "phone", AT)
    tokens.check(token, AT)
    for _ in range(2):
        with pytest.raises(TokenRefusedError, match="expired"):
            tokens.check(token, AT + TOKEN_LIFE)
    with pytest.raises(TokenRefusedError, match="issued in the future"):
        tokens.check(token, AT - timedelta(hours=1, seconds=1))
    assert tokens.check(token, AT).resident == "ann"
    assert counted.count >= 1


def test_what_was_changed_is_another_token(tokens: Tokens) -> None:
    token = tokens.issue("ann", "phone", AT)
    tokens.check(token, AT)
    head, said, signature = token.split(".")
    other = tokens.issue("bob", "phone", AT).split(".")[1]
    for forged in (f"{head}.{other}.{signature}", f"{head}.{said}.", token[:-2]):
        with pytest.raises(TokenRefusedError):
            tokens.check(forged, AT)


def test_a_vouchers_audience_is_refused_each_time(tokens: Tokens) -> None:
    voucher, _ = tokens.voucher("ann", "phone", "maple-hall.basement", AT)
    for _ in range(2):
        with pytest.raises(TokenRefusedError, match="not for relay"):
            tokens.check(voucher, AT)


def test_the_longest_unused_is_forgotten(
    tokens: Tokens, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECKED_MAX", 2)
    a, b, c = (tokens.issue(name, "phone", AT) for name in ("ann", "bob", "cem"))
    for token in (a, b, a, c):
        tokens.check(token, AT)
    assert counted.count == 3
    tokens.check(a, AT)
    tokens.check(c, AT)
    assert counted.count == 3
    tokens.check(b, AT)
    assert counted.count == 4


def test_a_rotation_of_the_signing_key_signs_nobody_out(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    before = Tokens(SigningKey.load_or_create(path))
    token = before.issue("resident-1", "device-1", AT)
    set_aside(path, SigningKey.load_or_create)
    moment = datetime.now(UTC)
    after = Tokens(SigningKey.load_or_create(path), old_signing_key(path, moment))
    assert after.check(token, AT).resident == "resident-1"
    assert len(after.verify_keys) == 2, "what edges are told"
    assert after.check(after.issue("resident-1", "device-1", AT), AT).device == "device-1"
    assert before.verify_keys[0] not in Tokens(SigningKey.load_or_create(path)).verify_keys
    later = moment + TOKEN_LIFE + timedelta(days=1)
    assert old_signing_key(path, later) is None
    assert not old_path(path).exists()
    with pytest.raises(TokenRefusedError):
        Tokens(SigningKey.load_or_create(path), old_signing_key(path, later)).check(token, AT)
