"""What one life of the server tells the next of its sessions: who was there, and how attentive."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from laundryd.wire.ids import DeviceId, ResidentId, SessionId, WireModel
from laundryd.wire.times import Moment


class KeptSession(WireModel):
    """One session, as it was when somebody last came, went, or began or ceased to look.

    ``connected_since`` is room time. ``attentive`` says of the time since then too, ``touched_s_ago`` does
    not: that is the age of the touch when it was written, and nobody writes each touch down.
    """

    session_id: SessionId
    resident: ResidentId
    device: DeviceId
    connected_since: Moment
    visible: bool
    attentive: bool
    touched_s_ago: Annotated[float, Field(ge=0)]


class KeptSessions(WireModel):
    """All sessions, as of ``kept_at`` (real time)."""

    kept_at: Moment
    sessions: list[KeptSession]

    def age_s(self, real_now: datetime) -> float:
        """Return for how long they have been kept, seconds; 0 when the clock was set back."""
        return max(0.0, (real_now - self.kept_at).total_seconds())
