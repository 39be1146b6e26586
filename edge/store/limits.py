"""How much the store keeps. Constants, because no admin should have to know them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

KEPT_ACKNOWLEDGED: Final = 5_000
"""Entries kept after the relay has them, for residents in the room who come back: days of a busy room."""

UNACKNOWLEDGED_MAX: Final = 20_000
"""Entries kept for a relay that is not there: over a month of a busy room, some 15 MB. Past it the
oldest are dropped and a snapshot stands for them."""

ANSWERS_KEPT_FOR: Final = timedelta(hours=24)
"""How long a repeated command gets its first answer (room time): longer than any app keeps trying."""

ANSWERS_MAX: Final = 20_000
"""Answers kept at most, some 10 MB, against a client that sends ever new commands."""

NOTICES_KEPT_FOR: Final = timedelta(hours=1)
"""How long a notice is kept after it is useful (room time): late acknowledgements still find it."""
