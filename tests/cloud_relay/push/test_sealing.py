from __future__ import annotations

import asyncio
import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.push.sealing import BATCH, Sealer
from cloud_relay.push.subscriptions import Subscription
from laundryd.demo.vapid_check import base64url_decode, base64url_encode
from laundryd.wire.notices import Lang

CURVE = ec.SECP256R1()


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def opened(body: bytes, key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """Decrypt one record by the letter of RFC 8291 sections 3.3 and 3.4, with no library of pushes."""
    salt, record_bytes, sender = body[:16], int.from_bytes(body[16:20], "big"), body[21:86]
    assert (body[20], record_bytes >= len(body) - 86) == (65, True), (
        "one record (RFC 8188 section 2.1)"
    )
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
    secret = hkdf(shared, auth, b"WebPush: info\0" + point(key) + sender, 32)
    content = hkdf(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = hkdf(secret, salt, b"Content-Encoding: nonce\0", 12)
    plaintext, end = AESGCM(content).decrypt(nonce, body[86:], None).rstrip(b"\0"), b"\x02"
    assert plaintext.endswith(end), "the last record"
    return plaintext.removesuffix(end)


def test_what_opens_messages_here_opens_the_example_of_rfc_8291_section_5() -> None:
    secret = base64url_decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
    body = base64url_decode(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    key = ec.derive_private_key(int.from_bytes(secret, "big"), CURVE)
    clear = opened(body, key, base64url_decode("BTBZMqHH6r4Tts7J_aSIgg"))
    assert clear == b"When I grow up, I want to be a watermelon"


encrypt = Sealer().encrypt
KEY = ec.generate_private_key(CURVE)
POINT = point(KEY)


@given(st.binary(min_size=1, max_size=3_000), st.binary(min_size=16, max_size=16))
def test_another_implementation_decrypts_any_message(plaintext: bytes, auth: bytes) -> None:
    one = Subscription("s", "", base64url_encode(POINT), base64url_encode(auth), Lang.EN)
    first, second = encrypt(plaintext, one), encrypt(plaintext, one)
    for body in (first, second):
        assert opened(body, KEY, auth) == plaintext
    assert first[:16] != second[:16], "a salt each"
    assert first[21:86] != second[21:86], "a key pair each"


@given(st.text(max_size=100), st.text(max_size=30))
def test_keys_that_are_none_are_refused_and_nothing_else_is_raised(p256dh: str, auth: str) -> None:
    with pytest.raises(ValueError, match="unusable keys"):
        encrypt(b"x", Subscription("s", "", p256dh, auth, Lang.EN))


def test_padded_keys_are_read_too() -> None:
    padded = base64.urlsafe_b64encode(POINT).decode(), base64.urlsafe_b64encode(b"a" * 16).decode()
    assert encrypt(b"x", Subscription("s", "", *padded, Lang.EN))


PHONE = Subscription("s", "", base64url_encode(POINT), base64url_encode(b"a" * 16), Lang.EN)


async def test_the_loop_has_its_turn_after_each_few_messages() -> None:
    sealer, sealed = Sealer(), list[int]()

    async def seal(number: int) -> None:
        await sealer.seal(b"x", PHONE)
        sealed.append(number)

    tasks = [asyncio.create_task(seal(number)) for number in range(3 * BATCH)]
    seen = []
    while len(sealed) < len(tasks):
        await asyncio.sleep(0)
        seen.append(len(sealed))
    assert sealed == list(range(3 * BATCH)), "in order"
    assert {BATCH, 2 * BATCH} <= set(seen), "others ran in between"


async def test_who_is_cancelled_is_left_out_and_who_waits_at_the_end_is_let_go() -> None:
    sealer = Sealer()
    tasks = [asyncio.create_task(sealer.seal(b"x", PHONE)) for _ in range(BATCH + 2)]
    first, second = tasks[-2:]
    await asyncio.sleep(0)
    first.cancel()
    assert opened(await second, KEY, b"a" * 16) == b"x"
    await asyncio.gather(*tasks[:BATCH])
    await asyncio.sleep(0)
    tasks = [asyncio.create_task(sealer.seal(b"x", PHONE)) for _ in range(BATCH + 1)]
    third = tasks[-1]
    await asyncio.sleep(0)
    sealer.close()
    with pytest.raises(asyncio.CancelledError):
        await third
    assert first.cancelled()


async def test_one_with_unusable_keys_spoils_no_other() -> None:
    sealer = Sealer()
    broken = Subscription("s", "", "AAAA", "AAAA", Lang.EN)
    found = await asyncio.gather(
        *(sealer.seal(b"x", one) for one in (PHONE, broken, PHONE)), return_exceptions=True
    )
    assert isinstance(found[1], ValueError)
    assert [opened(one, KEY, b"a" * 16) for one in found if isinstance(one, bytes)] == [b"x"] * 2
