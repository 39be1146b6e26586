"""How much the store keeps. Constants, because no admin should have to know them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

KEPT_ACKNOWLEDGED: Final = 5_000
"""Entries kept after the relay has them, or in a room without one, for residents in the room who come back:
days of a busy room."""

UNACKNOWLEDGED_MAX: Final = 60_000
"""Entries kept for a relay that is not there: a day of the busiest house, some 45 MB. Past it a new
epoch begins: a snapshot stands for them, and what residents are still to be told goes over."""

ANSWERS_KEPT_FOR: Final = timedelta(hours=24)
"""How long a repeated command gets its first answer (room time): longer than any app keeps trying."""

ANSWERS_MAX: Final = 20_000
"""Answers kept at most, some 10 MB, against a client that sends ever new commands."""

NOTICES_KEPT_FOR: Final = timedelta(hours=1)
"""How long a notice is kept after it is useful (room time): late acknowledgements still find it."""

DAMAGED_FILES_MAX: Final = 5
"""Damaged databases that are moved aside; with so many the disk is dying, and the room stays in memory."""

RETURN_EVERY_S: Final = 5.0
"""Real seconds between two looks whether the disk is well again: a card that was put in shows soon."""

RETURN_EVERY_MAX_S: Final = 300.0
"""Where the doubling of that pause ends, when each try fails: a try wears the disk."""

FREE_TO_RETURN_BYTES: Final = 4 * 1024 * 1024
"""Free space, beside twice what is to be written, before the room goes back to a disk that was full:
it should not leave it again after the next few commands."""

KEEP_CLOCK_S: Final = 900.0
"""Real seconds after which the clock's stand is kept although nothing else is: without a battery clock
time goes on from there after a power cut. A page in a quarter of an hour, 16 KB an hour."""

EMPTY_LOG_EVERY_S: Final = 3600.0
"""Real seconds after which the log is brought into the file: a damaged log takes no more than an hour along.
It writes each page that changed once more, a few of an idle room."""

LEARNED_BYTES_MAX: Final = 512 * 1024
"""What a detector may have learned of one machine, as JSON: twice what hundreds of cycles take. More is
not kept, and said: the store's cap is for everybody."""

NOTICES_MAX: Final = 20_000
"""Notices kept at most, some 10 MB, whatever their time."""

ACKS_CARRIED_MAX: Final = 20_000
"""Acknowledgements that go over into a new epoch at most, the newest: with ``NOTICES_MAX`` they leave room
in a journal of ``UNACKNOWLEDGED_MAX``."""
