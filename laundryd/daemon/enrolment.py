"""The enrolment file: what a room's edge needs to know of its relay, made by ``laundryd relay room add``.

TOML, mode 0600: it holds the password of the room's credential at the cloud's broker.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from laundryd.daemon.mqtt import BrokerSettings
from laundryd.daemon.tokens import write_secret
from laundryd.wire.ids import RoomRef, Slug
from laundryd.wire.uplink import VerifyKey


class Enrolment(BaseModel):
    """A room's place at a relay.

    ``enrolment_key`` is the public key that signs the room's rosters. ``broker`` is the cloud's broker
    with the room's own credential. ``relay_url`` is where residents join.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    site: Slug
    room: Slug
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


def _keys(table: dict[str, object]) -> list[str]:
    # A JSON string, number or boolean is a TOML one as it stands.
    return [
        f"{name} = {json.dumps(value, ensure_ascii=False)}"
        for name, value in table.items()
        if not isinstance(value, dict)
    ]
