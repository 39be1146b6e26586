"""Who is there, merged over the relay's own sessions and those at all edges."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from laundryd.wire.ids import ResidentId


class OneSession(Protocol):
    """The part of a session that counts here."""

    @property
    def attentive(self) -> bool:
        """Whether its page is visible and was touched lately."""
        ...


class SomePresence(Protocol):
    """Presence from one source."""

    def attentive(self, resident: ResidentId) -> bool:
        """Say whether the resident looks at a page right now."""
        ...

    def open(self, resident: ResidentId) -> bool:
        """Say whether the resident has a page open."""
        ...


class MergedPresence:
    """The relay's sessions (``sessions``, as the live server shows them) and the edges' together."""

    def __init__(
        self, sessions: Callable[[ResidentId], Iterable[OneSession]], edges: SomePresence
    ) -> None:
        self._sessions = sessions
        self._edges = edges

    def attentive(self, resident: ResidentId) -> bool:
        """Say whether the resident looks at a page of the relay's or of a room's right now."""
        here = any(session.attentive for session in self._sessions(resident))
        return here or self._edges.attentive(resident)

    def open(self, resident: ResidentId) -> bool:
        """Say whether the resident has any page open."""
        return any(True for _ in self._sessions(resident)) or self._edges.open(resident)
