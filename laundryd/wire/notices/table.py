"""The table of notices, whole: one row a kind, in the order in which residents choose among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from laundryd.wire.notices.of_holds import OF_HOLDS
from laundryd.wire.notices.of_loads import OF_LOADS
from laundryd.wire.notices.of_others import OF_OTHERS
from laundryd.wire.notices.words import NoticeKind, NoticeRow
from laundryd.wire.phases import Cause

TITLE_MAX: Final = 40
"""Characters of a title at most: what a phone shows of it in one line."""
BODY_MAX: Final = 120
"""Characters of a body at most: what a phone shows of it unopened."""

NOTICES: Final[Mapping[NoticeKind, NoticeRow]] = {**OF_LOADS, **OF_HOLDS, **OF_OTHERS}

MOOT_BY: Final[Mapping[Cause, tuple[NoticeKind, ...]]] = {
    cause: kinds
    for cause in Cause
    if (kinds := tuple(kind for kind, row in NOTICES.items() if cause in row.moot_after))
}
"""What a change makes moot of earlier notices about the same machine: ``moot_after``, turned around."""
