"""The relay's identity towards push services (VAPID, RFC 8292): one P-256 key and a contact."""

from __future__ import annotations

import base64
import re
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from cloud_relay.errors import SetupError
from laundryd.daemon.tokens import write_secret

EXPIRES_AFTER: Final = timedelta(hours=12)
"""How long a signature is good; push services refuse more than 24 h, and clocks differ."""
RENEW_BEFORE: Final = timedelta(hours=1)
"""A signature is made anew when it has less than this left."""
ORIGINS_MAX: Final = 1_000
"""Signatures kept: there are some ten push services, but anybody may name hosts below their names."""

_MAIL = re.compile(r"mailto:[^@\s]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")


class Vapid:
    """Signs for push services; one signature an origin, kept until it is nearly over."""

    def __init__(self, private: ec.EllipticCurvePrivateKey, subject: str) -> None:
        self._vapid = Vapid02(private)
        self._subject = check_subject(subject)
        self._signed: dict[str, tuple[str, datetime]] = {}
        point = private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        self.public_key = base64.urlsafe_b64encode(point).rstrip(b"=").decode()
        """The application server key that browsers subscribe with: 65 bytes as unpadded base64url."""

    @classmethod
    def load_or_create(cls, path: Path, subject: str) -> Vapid:
        """Read the private key at ``path`` (PEM), or make one there, mode 0600.

        Raises:
            SetupError: the file is no P-256 private key, or others may read it.
            ValueError: ``subject`` is no contact that push services take.

        """
        check_subject(subject)
        if not path.exists():
            write_secret(path, _new_pem())
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SetupError(f"{path}: others may read the push key; run: chmod 600 {path}")
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError) as error:
            raise SetupError(
                f"{path}: not a private key ({error}); restore it from a backup, or remove it and"
                " every resident switches the bell on again"
            ) from error
        if not (
            isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
        ):
            raise SetupError(f"{path}: a P-256 private key is needed (RFC 8292 section 3.1)")
        return cls(key, subject)

    def authorization(self, origin: str, now: datetime) -> str:
        """Return the ``Authorization`` header for a push service's origin; ``now`` is real time."""
        header, expires_at = self._signed.get(origin, ("", now))
        if expires_at - now < RENEW_BEFORE:
            expires_at = now + EXPIRES_AFTER
            # A new dict for each origin: the library keeps what it is given.
            claims = {
                "aud": origin,
                "exp": int(expires_at.timestamp()),
                "sub": self._subject,
            }
            header = str(self._vapid.sign(claims)["Authorization"])
            if len(self._signed) >= ORIGINS_MAX:
                self._signed.clear()
            self._signed[origin] = (header, expires_at)
        return header


def check_subject(subject: str) -> str:
    """Return ``subject`` if push services take it as a contact: Apple answers 403 to localhost.

    Raises:
        ValueError: it is neither ``mailto:name@host`` nor ``https://host``, or names localhost.

    """
    if match := _MAIL.fullmatch(subject):
        host = match[1]
    else:
        parts = urlsplit(subject)
        host = parts.hostname or "" if parts.scheme == "https" else ""
    if "." not in host or host.endswith((".localhost", ".local")):
        raise ValueError(
            f"the push contact is {subject!r}; allowed is mailto:name@host or https://host,"
            " with a real host: push services use it to reach you"
        )
    return subject


def _new_pem() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
