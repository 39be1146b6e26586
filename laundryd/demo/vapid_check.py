"""What a push service checks of the sender's identity (VAPID, RFC 8292), pure.

The answers are stricter than some services give: each fault has its own name, so that a test can say
which one it provoked.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, ValidationError

EXPIRY_MAX_S = 24 * 3600
"""The latest ``exp`` counted from the request, in seconds (RFC 8292 section 2)."""

SUBJECT_SCHEMES = ("mailto:", "https:")
"""How a contact may begin (RFC 8292 section 2.1)."""


class VapidFault(StrEnum):
    """What is wrong with an ``Authorization`` header."""

    MISSING = "missing"
    MALFORMED = "malformed"
    OTHER_KEY = "other_key"
    SIGNATURE = "signature"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    EXPIRES_TOO_LATE = "expires_too_late"
    SUBJECT = "subject"


class VapidRefusedError(Exception):
    """The sender's identity was refused; ``fault`` says why, the text says what was found."""

    def __init__(self, fault: VapidFault, message: str) -> None:
        super().__init__(f"VAPID {fault}: {message}")
        self.fault = fault


class VapidClaims(BaseModel):
    """The claims of a VAPID token (RFC 8292 section 2).

    ``aud`` is the push service's origin, ``exp`` seconds since 1970, ``sub`` the sender's contact.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    aud: str
    exp: float
    sub: str = ""


@dataclass(frozen=True, slots=True)
class _Credentials:
    """The two parameters of ``Authorization: vapid t=..., k=...`` (RFC 8292 section 3)."""

    token: str
    key: bytes


def base64url_decode(text: str) -> bytes:
    """Decode base64url with or without padding.

    Raises:
        ValueError: ``text`` has a character of no base64url alphabet, or an impossible length.

    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64url: {error}") from error


def base64url_encode(raw: bytes) -> str:
    """Encode as base64url without padding, as Web Push writes keys."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def check_vapid(
    authorization: str | None,
    *,
    origin: str,
    subscription_key: bytes | None,
    now_s: float,
) -> VapidClaims:
    """Judge the ``Authorization`` header of one push.

    Args:
        authorization: the header's value; None if there was none.
        origin: the push service's own origin, ``http://127.0.0.1:8000``.
        subscription_key: the application server key the subscription was made with, an uncompressed
            P-256 point of 65 bytes; None if it was made with none, so any key will do.
        now_s: seconds since 1970.

    Raises:
        VapidRefusedError: with the first fault found.

    """
    credentials = _read_header(authorization)
    if subscription_key is not None and credentials.key != subscription_key:
        raise VapidRefusedError(
            VapidFault.OTHER_KEY, "the subscription was made with another application server key"
        )
    claims = _read_claims(credentials)
    if claims.aud != origin:
        raise VapidRefusedError(VapidFault.AUDIENCE, f"aud is {claims.aud!r}, not {origin!r}")
    if claims.exp <= now_s:
        raise VapidRefusedError(VapidFault.EXPIRED, f"exp was {now_s - claims.exp:.0f} s ago")
    if claims.exp > now_s + EXPIRY_MAX_S:
        ahead_s = claims.exp - now_s
        raise VapidRefusedError(
            VapidFault.EXPIRES_TOO_LATE, f"exp is {ahead_s:.0f} s ahead; {EXPIRY_MAX_S} s at most"
        )
    if not claims.sub.startswith(SUBJECT_SCHEMES):
        raise VapidRefusedError(
            VapidFault.SUBJECT, f"sub is {claims.sub!r}; a mailto: or https: contact is needed"
        )
    return claims


def _read_header(authorization: str | None) -> _Credentials:
    if not authorization:
        raise VapidRefusedError(VapidFault.MISSING, "no Authorization header")
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "vapid":
        raise VapidRefusedError(VapidFault.MISSING, f"the scheme is {scheme!r}, not 'vapid'")
    parameters = {
        name.strip(): value.strip()
        for name, _, value in (part.partition("=") for part in rest.split(","))
    }
    if not parameters.get("t") or not parameters.get("k"):
        raise VapidRefusedError(VapidFault.MALFORMED, "the parameters t and k are both needed")
    try:
        key = base64url_decode(parameters["k"])
    except ValueError as error:
        raise VapidRefusedError(VapidFault.MALFORMED, f"parameter k is {error}") from error
    return _Credentials(token=parameters["t"], key=key)


def _read_claims(credentials: _Credentials) -> VapidClaims:
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), credentials.key)
    except ValueError as error:
        raise VapidRefusedError(
            VapidFault.MALFORMED, "parameter k is no uncompressed P-256 point"
        ) from error
    try:
        payload: bytes = jwt.PyJWS().decode(credentials.token, key, algorithms=["ES256"])
    except jwt.exceptions.InvalidSignatureError as error:
        raise VapidRefusedError(
            VapidFault.SIGNATURE, "the token was not signed with key k"
        ) from error
    except jwt.exceptions.InvalidTokenError as error:
        raise VapidRefusedError(
            VapidFault.MALFORMED, f"parameter t is no ES256 token: {error}"
        ) from error
    try:
        return VapidClaims.model_validate_json(payload)
    except ValidationError as error:
        raise VapidRefusedError(
            VapidFault.MALFORMED, f"the claims are unfit: {error.errors()[0]['msg']}"
        ) from error
