"""Who is at the room's own page, as the relay hears it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from laundryd.live.sessions import SessionView
from laundryd.wire.uplink import MAX_SESSIONS, PresentSession


def present(sessions: Iterable[SessionView]) -> list[PresentSession]:
    """Return the sessions, at most as many as one message takes, those who look first.

    More than that are no residents: a program that connects over and over, whose dropped sessions still
    linger. Whoever looks at the page must not be taken for away because of it.
    """
    found = [
        PresentSession(session_id=one.session_id, resident=one.resident, attentive=one.attentive)
        for one in sorted(sessions, key=lambda one: (not one.attentive, not one.connected))
    ]
    return found[:MAX_SESSIONS]
