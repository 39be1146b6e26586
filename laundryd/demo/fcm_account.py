"""The service account of a Firebase project that is none, and who gives its bearers of access tokens.

RFC 7523: a signed assertion goes in, a token for an hour comes out.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from laundryd.daemon.tokens import write_secret

PROJECT_ID = "laundry-test"
SENDER_ID = "123456789012"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""Google's library writes this one, whatever the account's ``token_uri`` is."""
SCOPES = frozenset(
    {
        "https://www.googleapis.com/auth/cloud-platform",
        "https://www.googleapis.com/auth/firebase.messaging",
    }
)
"""Each of them is enough to send."""
ACCESS_S = 3_600


class NoAccessError(Exception):
    """The assertion is not good; the text says why, in the words of RFC 6749 section 5.2."""


class FcmAccount:
    """One service account: its key, and the access tokens that it was given."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self._email = f"relay@{PROJECT_ID}.iam.gserviceaccount.com"
        self.access: set[str] = set()
        """Tokens that are good. Emptying it is what a deleted key does to those that are out."""

    def key_file(self, path: Path, token_uri: str) -> Path:
        """Write what the Firebase console would let an admin download, mode 0600; return ``path``."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        content = {
            "type": "service_account",
            "project_id": PROJECT_ID,
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": self._email,
            "client_id": "1",
            "token_uri": token_uri,
        }
        write_secret(path, json.dumps(content).encode())
        return path

    def grant(self, form: Mapping[str, object]) -> str:
        """Return an access token for a form with an assertion.

        Raises:
            NoAccessError: it was not signed by this account, is over, or asks for something else.

        """
        if form.get("grant_type") != GRANT:
            raise NoAccessError("unsupported_grant_type")
        try:
            claims = jwt.decode(
                str(form.get("assertion", "")),
                self._key.public_key(),
                algorithms=["RS256"],
                audience=AUDIENCE,
                issuer=self._email,
            )
        except jwt.PyJWTError as error:
            raise NoAccessError("invalid_grant") from error
        if not SCOPES & set(str(claims.get("scope", "")).split()):
            raise NoAccessError("invalid_scope")
        token = f"ya29.{secrets.token_urlsafe(32)}"
        self.access.add(token)
        return token

    def admits(self, authorization: str) -> bool:
        """Say whether a header ``Authorization`` bears a token that is good."""
        return authorization.removeprefix("Bearer ") in self.access
