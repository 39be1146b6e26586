from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from cloud_relay.errors import SetupError
from cloud_relay.push.vapid import Vapid, check_subject
from laundryd.demo.vapid_check import base64url_decode, check_vapid
from tests.cloud_relay.world import START

SUBJECT = "mailto:staff@example.org"
FCM, APPLE = "https://fcm.googleapis.com", "https://web.push.apple.com"


def test_the_key_is_made_once_with_a_mode_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "vapid.pem"
    made = Vapid.load_or_create(path, SUBJECT)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Vapid.load_or_create(path, SUBJECT).public_key == made.public_key
    assert len(base64url_decode(made.public_key)) == 65


def pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_endless_names_of_hosts_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_relay.push.vapid.ORIGINS_MAX", 3)
    vapid = Vapid.load_or_create(tmp_path / "vapid.pem", SUBJECT)
    for number in range(10):
        vapid.authorization(f"https://h{number}.push.services.mozilla.com", START)
        assert len(vapid._signed) <= 3
    last = vapid.authorization("https://h9.push.services.mozilla.com", START)
    assert vapid.authorization("https://h9.push.services.mozilla.com", START) == last


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a key",
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP384R1())),
    ],
    ids=["empty", "text", "ed25519", "p384"],
)
def test_a_file_that_is_no_p256_key_is_named_with_what_to_do(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "vapid.pem"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(SetupError, match=r"vapid\.pem"):
        Vapid.load_or_create(path, SUBJECT)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vapid.pem"
    Vapid.load_or_create(path, SUBJECT)
    path.chmod(0o644)
    with pytest.raises(SetupError, match="chmod 600"):
        Vapid.load_or_create(path, SUBJECT)


def test_a_signature_is_for_one_origin_and_made_anew_before_it_ends(tmp_path: Path) -> None:
    vapid = Vapid.load_or_create(tmp_path / "vapid.pem", SUBJECT)
    header = vapid.authorization(FCM, START)
    key = base64url_decode(vapid.public_key)
    for origin in (FCM, APPLE):
        claims = check_vapid(
            vapid.authorization(origin, START),
            origin=origin,
            subscription_key=key,
            now_s=START.timestamp(),
        )
        assert claims.sub == SUBJECT
    assert vapid.authorization(FCM, START + timedelta(hours=10)) == header, "cached"
    assert vapid.authorization(FCM, START + timedelta(hours=11, minutes=1)) != header


@pytest.mark.parametrize("subject", [SUBJECT, "https://laundry.example.org/contact"])
def test_real_contacts_are_taken(subject: str) -> None:
    assert check_subject(subject) == subject


@pytest.mark.parametrize(
    "subject",
    ["", "staff@example.org", "mailto:root@localhost", "https://localhost/x", "http://example.org",
     "mailto:staff", "https://printer.local"],
)  # fmt: skip
def test_contacts_that_push_services_refuse_are_refused_at_start(subject: str) -> None:
    with pytest.raises(ValueError, match="push contact"):
        check_subject(subject)
