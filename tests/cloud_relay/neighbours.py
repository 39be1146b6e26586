"""What stands around the handlers of a relay without network."""

from __future__ import annotations

from dataclasses import dataclass, field

from cloud_relay.rooms.rooms import Rooms

STRANGER = "resident-stranger"


@dataclass
class RosterVersions:
    """Which rosters rooms said that they have, in order."""

    heard_of: list[int | None] = field(default_factory=list)

    async def heard(self, _room: str, version: int | None) -> None:
        self.heard_of.append(version)


class Members:
    """Everybody but the stranger has joined every room."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def rooms(self, resident: str) -> frozenset[str]:
        return frozenset() if resident == STRANGER else frozenset(self._rooms.enrolled())
