"""What staff sees of residents, so that "why was I not told" has an answer: numbers, never names.

Base path ``/api/v1/staff``. Nobody's name is known here: a resident is found by the number that their app
shows, by a device that they say they have, or by their room.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from laundryd.wire.ids import ResidentId, RoomKey, WireModel
from laundryd.wire.times import Moment

FOUND_MAX: Final = 50
"""Residents in one answer: who looks through more than that types some letters."""
SOUGHT_MAX: Final = 60
"""Characters of what is looked for: as many as a device's name may have."""


class StaffResident(WireModel):
    """A resident as staff finds them; all times are real.

    ``devices``: what their devices called themselves when they joined, oldest first. ``bells``: how many
    subscriptions a push reaches. ``untold``: notices of the last 30 days that should have reached them and
    did not.
    """

    resident: ResidentId
    rooms: list[RoomKey]
    joined_at: Moment
    devices: list[str]
    bells: Annotated[int, Field(ge=0)]
    untold: Annotated[int, Field(ge=0)]


class StaffResidents(WireModel):
    """Answer of ``GET /staff/residents``: who joined last comes first, ``FOUND_MAX`` at most.

    ``more``: there are others, which what was looked for fits as well.
    """

    residents: list[StaffResident]
    more: bool
