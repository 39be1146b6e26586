"""Mosquitto's files: who may sign in, who may say and hear what, and how it listens.

One credential a room, with an ACL for its own topics. Mosquitto answers a denied publish with success
and grants a denied subscribe in silence, so an ACL is tested by what arrives.
https://mosquitto.org/man/mosquitto-conf-5.html
"""

from __future__ import annotations

import base64
import contextlib
import getpass
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cloud_relay.errors import SetupError
from laundryd.wire.ids import RoomRef
from laundryd.wire.topics import MAX_PAYLOAD_BYTES, TOPICS, Side, Topic, topic_filter

ITERATIONS: Final = 101
"""What mosquitto_passwd uses. Enough here: the passwords are 256 random bits, nobody's words."""
SALT_BYTES: Final = 12
PASSWORD_BYTES: Final = 32
QUEUED_MAX: Final = 10_000
"""Messages kept for a client that is away; edges and relay repeat what was lost anyway."""
RELAY_USER: Final = "relay"
PREFIXES: Final = {"up/": "up/#", "down/": "down/#", "machine/": "machine/#"}


def new_password() -> str:
    """Make a password that nobody types."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def room_user(room: RoomRef) -> str:
    """Return the user name of a room's credential."""
    return f"room.{room.key}"


def hash_password(password: str, salt: bytes | None = None) -> str:
    """Hash ``password`` as mosquitto_passwd does: ``$7$iterations$salt$hash``, PBKDF2 with SHA-512."""
    salt = salt if salt is not None else secrets.token_bytes(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${ITERATIONS}${'$'.join(parts)}"


def relay_acl() -> list[str]:
    """Return the relay's rules, made from the table of topics: read what edges say, write its own."""
    rules = [f"user {RELAY_USER}"]
    for topic, row in TOPICS.items():
        if row.brokers != "room" and row.reader is Side.RELAY:
            rules.append(f"topic read {topic_filter(topic)}")
        if row.brokers != "room" and row.publisher is Side.RELAY:
            rules.append(f"topic write {topic_filter(topic)}")
    return rules


def room_acl(room: RoomRef) -> list[str]:
    """Return a room's rules: its own topics, and nothing of any other room's."""
    base = topic_filter(Topic.AVAILABILITY, room).removesuffix(Topic.AVAILABILITY)
    return [
        f"user {room_user(room)}",
        f"topic write {base}{Topic.AVAILABILITY}",
        f"topic write {base}{PREFIXES['up/']}",
        f"topic write {base}{PREFIXES['machine/']}",
        f"topic read {base}{PREFIXES['down/']}",
    ]


@dataclass(frozen=True, slots=True)
class Listeners:
    """``local_port``: for the relay, on 127.0.0.1. ``tls_port`` with a certificate: for the edges."""

    local_port: int
    tls_port: int = 8883
    tls_cert: Path | None = None
    tls_key: Path | None = None


def configuration(folder: Path, listeners: Listeners) -> str:
    """Write ``laundryd.conf``: it fits into Debian's ``/etc/mosquitto/conf.d``."""
    lines = [
        "# Made by `laundryd relay init`. Passwords and ACL are read again on SIGHUP.",
        "per_listener_settings false",
        "allow_anonymous false",
        f"password_file {folder / 'passwords'}",
        f"acl_file {folder / 'acl'}",
        "",
        "# Without these two a crash loses acknowledged and retained messages.",
        "autosave_interval 1",
        "autosave_on_changes true",
        "",
        f"message_size_limit {MAX_PAYLOAD_BYTES}",
        f"max_queued_messages {QUEUED_MAX}",
        "",
        "# The relay, on this computer.",
        f"listener {listeners.local_port} 127.0.0.1",
    ]
    if listeners.tls_cert is not None and listeners.tls_key is not None:
        lines += [
            "",
            "# The edges, from anywhere.",
            f"listener {listeners.tls_port}",
            f"certfile {listeners.tls_cert}",
            f"keyfile {listeners.tls_key}",
            "tls_version tlsv1.2",
        ]
    return "\n".join(lines) + "\n"


def standalone(folder: Path, listeners: Listeners) -> str:
    """Write ``standalone.conf``: for ``mosquitto -c``, without a distribution's own configuration.

    ``user`` counts only when it is started by root: then it stays who made these files.
    """
    return (
        configuration(folder, listeners)
        + f"\npersistence true\npersistence_location {folder}/\nuser {getpass.getuser()}\n"
    )


class BrokerFiles:
    """The password and ACL files in ``folder``. A running broker reads them again on SIGHUP."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.passwords = folder / "passwords"
        self.acl = folder / "acl"

    def accepts(self, user: str, password: str) -> bool:
        """Say whether ``user`` has this very ``password``, hashed as we do."""
        for line in _read(self.passwords).splitlines():
            name, _, digest = line.partition(":")
            if name == user:
                with contextlib.suppress(ValueError, IndexError):  # hashed by somebody else
                    salt = base64.b64decode(digest.split("$")[3], validate=True)
                    return hash_password(password, salt) == digest
        return False

    def set_password(self, user: str, password: str) -> None:
        """Give ``user`` a password, in place of the one before; all other lines stay."""
        lines = _read(self.passwords).splitlines()
        kept = [line for line in lines if line.partition(":")[0] != user]
        replace_file(self.passwords, "\n".join([*kept, f"{user}:{hash_password(password)}", ""]))

    def set_rules(self, rules: list[str]) -> None:
        """Give the user of ``rules`` (first line ``user NAME``) these, in place of those before.

        Blocks are parted by empty lines; all others stay as they are, in their order.
        """
        blocks = [block for block in _read(self.acl).strip().split("\n\n") if block]
        new, place = "\n".join(rules), len(blocks)
        for index, block in enumerate(blocks):
            if block.splitlines()[0] == rules[0]:
                place = index
        blocks[place : place + 1] = [new]
        replace_file(self.acl, "\n\n".join(blocks) + "\n")


def replace_file(path: Path, text: str) -> None:
    """Write ``text`` whole or not at all; owner and mode stay as they were.

    A new file is its owner's alone, 0600. In a folder with the setgid bit it gets the folder's group,
    which may read it, 0640: so an admin lets the broker's own user in, once and for all files.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    before = path.stat() if path.exists() else None
    shared = path.parent.stat().st_mode & stat.S_ISGID
    new = 0o640 if shared else 0o600
    mode = new if before is None else before.st_mode & 0o777
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask of the admin's shell
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if before is not None:
        with contextlib.suppress(PermissionError):  # only root can give a file away
            os.chown(draft, before.st_uid, before.st_gid)
    draft.replace(path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SetupError(
            f"{path}: cannot be read ({error.strerror}); run this as its owner"
        ) from error
