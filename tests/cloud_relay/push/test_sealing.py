from __future__ import annotations

import base64

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.push.sealing import CURVE, encrypt, seal
from cloud_relay.push.subscriptions import Subscription
from laundryd.demo.vapid_check import base64url_decode, base64url_encode
from laundryd.wire.notices import Lang


def test_the_example_of_rfc_8291_section_5() -> None:
    sender = ec.derive_private_key(
        int.from_bytes(base64url_decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"),
        CURVE,
    )
    receiver = ec.EllipticCurvePublicKey.from_encoded_point(
        CURVE,
        base64url_decode(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
    )
    body = seal(
        b"When I grow up, I want to be a watermelon",
        receiver,
        base64url_decode("BTBZMqHH6r4Tts7J_aSIgg"),
        sender=sender,
        salt=base64url_decode("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert base64url_encode(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


KEY = ec.generate_private_key(CURVE)
POINT = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@given(st.binary(min_size=1, max_size=3_000), st.binary(min_size=16, max_size=16))
def test_another_implementation_decrypts_any_message(plaintext: bytes, auth: bytes) -> None:
    one = Subscription("s", "", base64url_encode(POINT), base64url_encode(auth), Lang.EN)
    first, second = encrypt(plaintext, one), encrypt(plaintext, one)
    for body in (first, second):
        clear = http_ece.decrypt(body, private_key=KEY, auth_secret=auth, version="aes128gcm")
        assert clear == plaintext
    assert first[:16] != second[:16], "a salt each"
    assert first[21:86] != second[21:86], "a key pair each"


@given(st.text(max_size=100), st.text(max_size=30))
def test_keys_that_are_none_are_refused_and_nothing_else_is_raised(p256dh: str, auth: str) -> None:
    with pytest.raises(ValueError, match="unusable keys"):
        encrypt(b"x", Subscription("s", "", p256dh, auth, Lang.EN))


def test_padded_keys_are_read_too() -> None:
    padded = base64.urlsafe_b64encode(POINT).decode(), base64.urlsafe_b64encode(b"a" * 16).decode()
    assert encrypt(b"x", Subscription("s", "", *padded, Lang.EN))
