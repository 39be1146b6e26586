"""Residents' tokens and signed documents: Ed25519, for one audience, verified offline.

JWT is RFC 7519, JWS RFC 7515, EdDSA in JOSE RFC 8037. A token names its key by ``kid``; times in it are
real time. The audience is ``relay`` or ``edge:site/room``: each side refuses the other's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from laundryd.daemon.ownership import inherit_owner, make_private_folder
from laundryd.wire.uplink import VerifyKey

ALGORITHM: Final = "EdDSA"
RELAY_AUDIENCE: Final = "relay"
LIVE_SESSIONS: Final = "laundryd live sessions 1"
"""What a key is derived for that binds session ids to their residents."""
LEEWAY_S: Final = 3_600
"""Seconds by which a clock that was not compared with the signer's may be behind it, before a fresh token
is refused as not yet valid. It opens nothing: who cannot sign cannot date a token either. When a token
expires has no leeway."""


class TokenRefusedError(Exception):
    """The token is not one of ours, is for somebody else, or has expired. The message has no secret."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says. ``rooms`` are room keys; times are real time."""

    resident: str
    device: str
    rooms: frozenset[str]
    issued_at: datetime
    expires_at: datetime


class SigningKey:
    """A private Ed25519 key with its name."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.verify_key = VerifyKey(
            kid=hashlib.sha256(raw).hexdigest()[:16],
            public_key=base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
        )

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a new key that is kept nowhere yet."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load_or_create(cls, path: Path) -> SigningKey:
        """Read the key at ``path`` (PEM, PKCS 8), or make one there that its owner alone can read.

        Raises:
            ValueError: the file is no Ed25519 private key.
            OSError: it can be neither read nor written.

        """
        if not path.exists():
            key = cls.generate()
            key.write(path)
            return key
        private = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError(  # noqa: TRY004 -- a file's content is wrong, not an argument's type
                f"{path} holds no Ed25519 key: restore it from the backup, or remove it"
            )
        return cls(private)

    def write(self, path: Path) -> None:
        """Write the key to ``path`` (PEM, PKCS 8), on the disk when this returns, for its owner alone.

        Raises:
            OSError: it cannot be written.

        """
        pem = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_secret(path, pem)

    @property
    def kid(self) -> str:
        """The key's name: 16 hex characters of its public key's SHA-256."""
        return self.verify_key.kid

    def sign(self, payload: Mapping[str, object]) -> str:
        """Sign ``payload`` as a compact JWS."""
        return jwt.encode(dict(payload), self._private, ALGORITHM, headers={"kid": self.kid})

    def derive(self, purpose: str) -> bytes:
        """Return 32 secret bytes for ``purpose``, always the same (HKDF-SHA256, RFC 5869).

        They tell nothing of this key, nor of what is derived for another purpose.
        """
        secret = self._private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret)


def write_secret(path: Path, content: bytes) -> None:
    """Write ``content`` so that it appears whole or not at all, mode 0600, its folder's owner's."""
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        inherit_owner(draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def public_key(key: VerifyKey) -> Ed25519PublicKey:
    """Read a public key of the wire.

    Raises:
        ValueError: it is not 32 bytes of base64url.

    """
    padded = key.public_key + "=" * (-len(key.public_key) % 4)
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(padded))


def sign_token(  # one keyword for each thing that the token says
    key: SigningKey,
    *,
    resident: str,
    device: str,
    audience: str,
    rooms: frozenset[str],
    issued_at: datetime,
    expires_at: datetime,
) -> str:
    """Make a resident's token for one audience."""
    return key.sign(
        {
            "sub": resident,
            "dev": device,
            "aud": audience,
            "rooms": sorted(rooms),
            "iat": int(issued_at.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
    )


def verify_token(token: str, keys: Mapping[str, VerifyKey], audience: str, now: datetime) -> Claims:
    """Check a token at real time ``now`` and return what it says.

    Raises:
        TokenRefusedError: malformed, unknown key, bad signature, other audience, expired.

    """
    claims = read_token(token, keys, audience)
    check_times(claims, now)
    return claims


def read_token(token: str, keys: Mapping[str, VerifyKey], audience: str) -> Claims:
    """Check who signed a token and for whom, and return what it says; ``check_times`` comes after.

    Raises:
        TokenRefusedError: malformed, unknown key, bad signature, other audience.

    """
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        if not isinstance(kid, str) or kid not in keys:
            raise TokenRefusedError("signed with a key that is not known here")
        # Times are checked by themselves, against the clock that is handed in.
        said = jwt.decode(
            token,
            public_key(keys[kid]),
            algorithms=[ALGORITHM],
            audience=audience,
            options={
                "require": ["sub", "dev", "aud", "iat", "exp"],
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        return Claims(
            resident=str(said["sub"]),
            device=str(said["dev"]),
            rooms=frozenset(str(room) for room in said.get("rooms", [])),
            issued_at=datetime.fromtimestamp(said["iat"], UTC),
            expires_at=datetime.fromtimestamp(said["exp"], UTC),
        )
    except jwt.InvalidAudienceError as error:
        raise TokenRefusedError(f"not for {audience}") from error
    except (jwt.PyJWTError, InvalidSignature, ValueError, TypeError, OverflowError) as error:
        raise TokenRefusedError(f"not a token of ours: {type(error).__name__}") from error


def check_times(claims: Claims, now: datetime) -> None:
    """Check that a token is good at real time ``now``.

    Raises:
        TokenRefusedError: expired, or not valid yet.

    """
    if now.timestamp() >= claims.expires_at.timestamp():
        raise TokenRefusedError("expired")
    if claims.issued_at.timestamp() > now.timestamp() + LEEWAY_S:
        raise TokenRefusedError("issued in the future: compare the clocks of the two computers")


def verify_document(jws: str, key: VerifyKey) -> dict[str, object]:
    """Check a signed document (no audience, no expiry) and return it.

    Raises:
        TokenRefusedError: malformed, or not signed by ``key``.

    """
    try:
        document = jwt.decode(
            jws, public_key(key), algorithms=[ALGORITHM], options={"verify_aud": False}
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise TokenRefusedError(f"not signed by {key.kid}: {type(error).__name__}") from error
    parsed: dict[str, object] = json.loads(json.dumps(document))
    return parsed
