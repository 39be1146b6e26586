"""The enrolment file: what a room's edge needs to know of its relay, made by ``laundryd relay room add``.

TOML, mode 0600: it holds the password of the room's credential at the cloud's broker.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from laundryd.daemon.mqtt import BrokerSettings
from laundryd.daemon.tokens import write_secret
from laundryd.wire.ids import RoomRef, Slug
from laundryd.wire.machines import DisplayName
from laundryd.wire.uplink import VerifyKey


class EnrolmentError(Exception):
    """The enrolment file is missing, unreadable, or not what the relay wrote."""


class Enrolment(BaseModel):
    """A room's place at a relay.

    ``enrolment_key`` is the public key that signs the room's rosters. ``broker`` is the cloud's broker
    with the room's own credential. ``relay_url`` is where residents join.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    site: Slug
    room: Slug
    name: DisplayName
    relay_url: str
    broker: BrokerSettings
    enrolment_key: VerifyKey

    @property
    def ref(self) -> RoomRef:
        """The room by its two slugs."""
        return RoomRef(site=self.site, room=self.room)


def write_enrolment(path: Path, enrolment: Enrolment) -> None:
    """Write ``enrolment`` to ``path`` so that its owner alone can read it."""
    tables = enrolment.model_dump(mode="json", exclude_none=True)
    password = enrolment.broker.password
    if isinstance(password, SecretStr):
        tables["broker"]["password"] = password.get_secret_value()
    lines = [
        "# Made by `laundryd relay room add`. It holds a password: keep it readable by the edge alone."
    ]
    lines += _keys(tables)
    for name, table in tables.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *_keys(table)]
    write_secret(path, ("\n".join(lines) + "\n").encode())


def read_enrolment(path: Path) -> Enrolment:
    """Read the file at ``path``.

    Raises:
        EnrolmentError: it is missing, is no TOML, or lacks a field; the message names it.

    """
    try:
        return Enrolment.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise EnrolmentError(
            f"{path}: cannot be read ({error.strerror}); copy the file that "
            "`laundryd relay room add` made"
        ) from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        )
        raise EnrolmentError(f"{path}: {wrong}; copy the file from the relay again") from error
    except ValueError as error:
        raise EnrolmentError(
            f"{path}: is no TOML: {error}; copy it from the relay again"
        ) from error


def _keys(table: dict[str, object]) -> list[str]:
    # A JSON string, number or boolean is a TOML one as it stands.
    return [
        f"{name} = {json.dumps(value, ensure_ascii=False)}"
        for name, value in table.items()
        if not isinstance(value, dict)
    ]
