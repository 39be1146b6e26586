"""Stands where the keeper of rosters stands."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class RosterVersions:
    """Which rosters rooms said that they have, in order."""

    heard_of: list[int | None] = field(default_factory=list)

    async def heard(self, _room: str, version: int | None) -> None:
        self.heard_of.append(version)
