"""Every table of ``relay.db``: what takes schema n to n + 1, oldest first. Never change one that shipped."""

from __future__ import annotations

from typing import Final

from cloud_relay.announce.tables import TABLES as ANNOUNCE
from cloud_relay.kept_clock import TABLE as CLOCK
from cloud_relay.notify.tables import BELL_WARNINGS, OUTAGES, STEPS
from cloud_relay.notify.tables import TABLES as NOTIFY
from cloud_relay.push.tables import TABLES as PUSH
from cloud_relay.residents.tables import BELLS, PREFERENCES, VAPID_KEYS, WAYS
from cloud_relay.residents.tables import TABLES as RESIDENTS
from cloud_relay.rooms.tables import OPENINGS, RUNS, WAITING
from cloud_relay.rooms.tables import TABLES as ROOMS
from cloud_relay.staff.tables import TABLES as STAFF

MIGRATIONS: Final[tuple[str, ...]] = (
    f"{ROOMS}\n{RESIDENTS}\n{NOTIFY}\n{PUSH}",
    WAITING,
    RUNS,
    f"{PREFERENCES}\n{STEPS}",
    BELLS,
    OUTAGES,
    f"{STAFF}\n{ANNOUNCE}",
    VAPID_KEYS,
    OPENINGS,
    WAYS,
    BELL_WARNINGS,
    CLOCK,
)
