"""The table of notices, whole: one row a kind, in the order in which residents choose among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from laundryd.wire.notices.of_bells import OF_BELLS
from laundryd.wire.notices.of_holds import OF_HOLDS
from laundryd.wire.notices.of_loads import OF_LOADS
from laundryd.wire.notices.of_others import OF_OTHERS
from laundryd.wire.notices.words import Lang, NoticeKind, NoticeRow
from laundryd.wire.phases import Cause

TITLE_MAX: Final = 40
"""Characters of a title at most: what a phone shows of it in one line."""
BODY_MAX: Final = 120
"""Characters of a body at most: what a phone shows of it unopened."""

PARTS: Final[tuple[tuple[Mapping[Lang, str], Mapping[NoticeKind, NoticeRow]], ...]] = (
    ({Lang.EN: "Your laundry", Lang.KO: "내 세탁물"}, OF_LOADS),
    ({Lang.EN: "What you hold or wait for", Lang.KO: "맡아 두거나 기다리는 기기"}, OF_HOLDS),
    ({Lang.EN: "Neighbours and staff", Lang.KO: "이웃과 관리실"}, OF_OTHERS),
    ({Lang.EN: "The bell itself", Lang.KO: "알림 자체"}, OF_BELLS),
)
"""The rows under their headings, as residents read them."""

NOTICES: Final[Mapping[NoticeKind, NoticeRow]] = {
    kind: row for _, rows in PARTS for kind, row in rows.items()
}

MOOT_BY: Final[Mapping[Cause, tuple[NoticeKind, ...]]] = {
    cause: kinds
    for cause in Cause
    if (kinds := tuple(kind for kind, row in NOTICES.items() if cause in row.moot_after))
}
"""What a change makes moot of earlier notices about the same machine: ``moot_after``, turned around."""
