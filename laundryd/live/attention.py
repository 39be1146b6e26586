"""Who is looking: pure, with the time as an argument. Connected is not attentive."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attention:
    """What an app said of its page. ``touched_s`` is a moment in real monotonic seconds."""

    visible: bool
    touched_s: float

    @classmethod
    def told(cls, *, visible: bool, touched_s_ago: float, now_s: float) -> Attention:
        """Take an ``attention`` frame that arrived at ``now_s``."""
        return cls(visible=visible, touched_s=now_s - touched_s_ago)

    def is_attentive(self, now_s: float, within_s: float) -> bool:
        """Say whether the page is visible and was touched within the last ``within_s`` seconds."""
        return self.visible and now_s - self.touched_s < within_s
