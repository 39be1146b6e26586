"""The roster: keys that sign residents' tokens, devices that are revoked, and who wishes to be told nothing.

Kept for days without cloud.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable

from pydantic import ValidationError

from edge.errors import RosterError
from laundryd.daemon.tokens import TokenRefusedError, verify_document
from laundryd.wire.ids import DeviceId, ResidentId
from laundryd.wire.notices import NOTICES, NoticeKind
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


def kept_roster(text: str) -> Roster | None:
    """Read the roster that was kept; None, and a line in the log, when it cannot be read.

    Then nobody is let in until the relay's retained roster has come, which is seconds after a connect.
    """
    try:
        return Roster.model_validate_json(text)
    except ValidationError as error:
        log.warning(
            "the kept roster has %d wrong fields: waiting for a new one", len(error.errors())
        )
        return None


class RosterKeeper:
    """The roster in force, and the way to a newer one.

    ``save`` makes it durable; ``on_revoked`` hears, once they are refused, which devices are shut out.
    """

    def __init__(
        self,
        *,
        enrolment_key: VerifyKey,
        audience: str,
        current: Roster | None,
        save: Callable[[Roster], Awaitable[None]],
        on_revoked: Callable[[Iterable[DeviceId]], None] = lambda _devices: None,
    ) -> None:
        self._enrolment_key = enrolment_key
        self._audience = audience
        self._save = save
        self._on_revoked = on_revoked
        self.current = current

    @property
    def keys(self) -> dict[str, VerifyKey]:
        """The keys that sign residents' tokens, by name; none before the first roster."""
        return {key.kid: key for key in self.current.keys} if self.current else {}

    @property
    def version(self) -> int | None:
        """Which roster is in force; None before the first."""
        return self.current.version if self.current else None

    @property
    def revoked_devices(self) -> frozenset[str]:
        """Devices whose tokens are refused although they are well signed."""
        return frozenset(self.current.revoked_devices) if self.current else frozenset()

    def declines(self, resident: ResidentId, kind: NoticeKind) -> bool:
        """Say whether ``resident`` wishes to be told nothing of ``kind``, which may be turned off."""
        if self.current is None or not NOTICES[kind].may_turn_off:
            return False
        return kind in self.current.declined.get(resident, ())

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
        # Their open connections were let in before: a door is shut for who stands inside too.
        self._on_revoked(roster.revoked_devices)
        log.info("roster %d is in force", roster.version)
        return True
