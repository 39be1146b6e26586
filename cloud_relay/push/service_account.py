"""The file by which Google knows the relay: a service account's key, made in the Firebase console."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cloud_relay.errors import SetupError

NEEDED: Final = ("project_id", "client_email", "private_key", "token_uri")
"""What must stand in it beside its type; Google writes more."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account of one Firebase project; ``content`` is the file's, with its private key."""

    project_id: str
    content: Mapping[str, object] = field(repr=False)


def load_service_account(path: Path) -> ServiceAccount:
    """Read the file.

    Raises:
        SetupError: it is missing, others may read it, or it is no key of a service account. What stands
            in it is never said.

    """
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(
            f"{path}: cannot be read ({error.__class__.__name__}); put the key file of the Firebase"
            " project's service account there, or take fcm.service_account out of the settings"
        ) from error
    # Not the group's bits: a credential of systemd's has them, for the one user that it lets in.
    if mode & stat.S_IRWXO:
        raise SetupError(f"{path}: others may read the service account; run: chmod 600 {path}")
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("type") != "service_account":
        raise SetupError(
            f"{path}: not the JSON key file of a service account; the Firebase console makes one"
            " under Project settings, Service accounts"
        )
    missing = [name for name in NEEDED if not isinstance(content.get(name), str)]
    if missing:
        raise SetupError(f"{path}: lacks {', '.join(missing)}; download the key file anew")
    return ServiceAccount(content["project_id"], content)
