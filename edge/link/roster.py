"""The roster: which keys sign residents' tokens, which devices are revoked. Kept for days without cloud."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from pydantic import ValidationError

from edge.errors import RosterError
from laundryd.daemon.tokens import TokenRefusedError, verify_document
from laundryd.wire.uplink import DownRoster, Roster, VerifyKey

log = logging.getLogger(__name__)


def check_roster(
    message: DownRoster, *, enrolment_key: VerifyKey, audience: str, current: Roster | None
) -> Roster:
    """Read a roster and decide whether it may replace ``current``.

    Raises:
        RosterError: not signed by our relay's enrolment key, for another room, or older than ours.

    """
    try:
        roster = Roster.model_validate(verify_document(message.jws, enrolment_key))
    except TokenRefusedError as error:
        raise RosterError(f"roster refused: {error}; is the enrolment file the newest?") from error
    except ValidationError as error:
        raise RosterError(f"roster refused: {error.error_count()} wrong fields") from error
    if roster.audience != audience:
        raise RosterError(f"roster refused: it is for {roster.audience}, this room is {audience}")
    if current is not None and roster.version < current.version:
        raise RosterError(
            f"roster refused: version {roster.version} is older than {current.version}"
        )
    return roster


class RosterKeeper:
    """The roster in force, and the way to a newer one. ``save`` makes it durable."""

    def __init__(
        self,
        *,
        enrolment_key: VerifyKey,
        audience: str,
        current: Roster | None,
        save: Callable[[Roster], Awaitable[None]],
    ) -> None:
        self._enrolment_key = enrolment_key
        self._audience = audience
        self._save = save
        self.current = current

    @property
    def keys(self) -> dict[str, VerifyKey]:
        """The keys that sign residents' tokens, by name; none before the first roster."""
        return {key.kid: key for key in self.current.keys} if self.current else {}

    @property
    def revoked_devices(self) -> frozenset[str]:
        """Devices whose tokens are refused although they are well signed."""
        return frozenset(self.current.revoked_devices) if self.current else frozenset()

    async def take(self, message: DownRoster) -> bool:
        """Put a newer roster in force; False when it is the one we have.

        Raises:
            RosterError: it must not be used.

        """
        roster = check_roster(
            message,
            enrolment_key=self._enrolment_key,
            audience=self._audience,
            current=self.current,
        )
        if roster == self.current:
            return False
        await self._save(roster)
        self.current = roster
        log.info("roster %d is in force", roster.version)
        return True
