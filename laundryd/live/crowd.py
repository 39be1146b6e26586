"""How many connections are open: in all, from one address, of one resident; and who is turned away. Pure."""

from __future__ import annotations

from collections import Counter

from laundryd.live.door import Refusal
from laundryd.live.settings import LiveSettings
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import ResidentId


class Crowd:
    """The open connections of one server, handshakes included.

    An address is None for one that is not counted. Whoever enters must leave.
    """

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        self._addresses: Counter[str] = Counter()
        self._residents: Counter[ResidentId] = Counter()
        self.open = 0

    def enter(self, address: str | None) -> None:
        """Count a connection from ``address``."""
        self.open += 1
        if address is not None:
            self._addresses[address] += 1

    def leave(self, address: str | None) -> None:
        """Count it no more."""
        self.open -= 1
        if address is not None:
            _one_less(self._addresses, address)

    def refuse_address(self, address: str | None) -> Refusal | None:
        """Turn away a connection that has entered, if it is one too many."""
        settings = self._settings
        if self.open > settings.connections_max:
            return Refusal(ErrorCode.BUSY)
        if address is not None and self._addresses[address] > settings.connections_per_address_max:
            return _too_many(settings.connections_per_address_max, "from your address")
        return None

    def enter_as(self, resident: ResidentId) -> Refusal | None:
        """Count a connection as ``resident``'s, or turn it away: then it is not counted."""
        if self._residents[resident] >= self._settings.connections_per_resident_max:
            return _too_many(self._settings.connections_per_resident_max, "of yours")
        self._residents[resident] += 1
        return None

    def leave_as(self, resident: ResidentId) -> None:
        """Count it no more as ``resident``'s."""
        _one_less(self._residents, resident)


def _too_many(number: int, whose: str) -> Refusal:
    return Refusal(ErrorCode.RATE_LIMITED, f"{number} connections {whose} are open.")


def _one_less(counts: Counter[str], key: str) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
