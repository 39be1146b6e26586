"""What a resident wishes of one notice: their choices, their quiet hours, and what its row allows.

Pure. The table says too which later events make a notice moot.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from cloud_relay.notify.plan import Wish
from cloud_relay.notify.quiet import quiet_until
from laundryd.wire.delivery import Why
from laundryd.wire.events import PublicEvent
from laundryd.wire.ids import Offset
from laundryd.wire.notices import NOTICES, Channel, NoticeCard, NoticeKind
from laundryd.wire.preferences import Choice, NoticePreferences

MOOTING: Final = frozenset(cause for row in NOTICES.values() for cause in row.moot_after)
"""The causes that make any notice moot; most events are none of them."""


def is_moot(
    card: NoticeCard, events: Iterable[PublicEvent], brought_at: Offset | None = None
) -> bool:
    """Say whether a later one of ``events``, of the notice's room, made it pointless or untrue to tell.

    ``brought_at``: the place in their journal of the entry that brought the notice; None: it was kept before
    all of them. Places tell what came later, times do not: the room's clock may have been set meanwhile.
    """
    causes = NOTICES[card.kind].moot_after
    return any(
        event.cause in causes
        and event.machine.machine == card.machine
        and (brought_at is None or event.offset > brought_at)
        for event in events
    )


def wish(
    kind: NoticeKind,
    preferences: NoticePreferences,
    real_now: datetime,
    *,
    urgent: bool = False,
) -> Wish:
    """Say how ``kind`` may be told to a resident with these ``preferences`` at ``real_now``.

    A kind that may not be turned off is told in the app at least. ``urgent``: its writer lets no quiet
    hours hold it back.
    """
    row = NOTICES[kind]
    choice, why = preferences.choice(kind), Why.WISHED
    if choice is Choice.NOTHING and not row.may_turn_off:
        choice = Choice.APP_ONLY
    if choice is Choice.APP_AND_PUSH and row.channel is Channel.APP:
        choice, why = Choice.APP_ONLY, Why.KIND
    is_held = row.held_in_quiet_hours and not urgent
    until = quiet_until(preferences.quiet, real_now) if is_held else None
    return Wish(choice, until, why)
