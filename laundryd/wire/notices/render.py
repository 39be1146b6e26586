"""From a notice to its words. The app does the same from the same table, as JSON."""

from __future__ import annotations

import re
from typing import Final

from laundryd.wire.notices.cards import NoticeCard
from laundryd.wire.notices.table import NOTICES
from laundryd.wire.notices.words import Lang, Text

PARAM: Final = re.compile(r"\{(\w+)\}")
"""A parameter's place in a text."""


def render(card: NoticeCard, lang: Lang) -> Text:
    """Fill the row's texts in ``lang`` with the notice's parameters."""
    text = NOTICES[card.kind].texts[lang]

    def fill(template: str) -> str:
        # In one go: a machine's own name may have braces.
        return PARAM.sub(lambda found: str(card.params.get(found[1], found[0])), template)

    return Text(fill(text.title), fill(text.body))
