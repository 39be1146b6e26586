"""The table of notices: what a resident is told, in which words, and for how long it is worth telling.

The edge derives the notices of a change from this table and writes them into the journal; the relay
plans them and never derives them again, and originates only those whose row says so. A notice travels
as kind and parameters. Whoever shows it renders the text in the resident's language from this same
table (the app has it as JSON).

=============  =====================================================================================
`words`        kinds, actions, channels, who is told, and what a row holds
`actions`      the buttons: what they say and which command they send
`of_loads`     rows about a resident's own load
`of_holds`     rows about machines that a resident holds or waits for
`of_others`    rows that neighbours and staff cause
`of_bells`     rows about the bells themselves: one ends, a test
`table`        all rows
`cards`        notices as they travel: ids, cards, and how they are derived
`render`       their words
`page`         the pages of documentation made from the table
=============  =====================================================================================
"""

from laundryd.wire.notices.actions import ACTIONS
from laundryd.wire.notices.cards import Notice, NoticeCard, NoticeParams, derive, notice_id
from laundryd.wire.notices.render import render
from laundryd.wire.notices.table import BODY_MAX, MOOT_BY, NOTICES, PARTS, TITLE_MAX
from laundryd.wire.notices.words import (
    Action,
    ActionId,
    Channel,
    Lang,
    NoticeKind,
    NoticeRow,
    Origin,
    Text,
    Urgency,
    Who,
)

__all__ = [
    "ACTIONS",
    "BODY_MAX",
    "MOOT_BY",
    "NOTICES",
    "PARTS",
    "TITLE_MAX",
    "Action",
    "ActionId",
    "Channel",
    "Lang",
    "Notice",
    "NoticeCard",
    "NoticeKind",
    "NoticeParams",
    "NoticeRow",
    "Origin",
    "Text",
    "Urgency",
    "Who",
    "derive",
    "notice_id",
    "render",
]
