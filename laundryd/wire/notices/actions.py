"""The buttons of notices: what each says in both languages and which command it sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from laundryd.wire.commands import CommandName, CommandParams
from laundryd.wire.notices.words import Action, ActionId, Lang

LONGER_MIN: Final = 10
"""Minutes that the button of ``extend`` adds: the middle of the three that the app offers."""

ACTIONS: Final[Mapping[ActionId, Action]] = {
    ActionId.COMING: Action(CommandName.COMING, {Lang.KO: "가고 있어요", Lang.EN: "I'm coming"}),
    ActionId.COLLECT: Action(CommandName.COLLECT, {Lang.KO: "꺼냈어요", Lang.EN: "Collected"}),
    ActionId.ADOPT: Action(CommandName.ADOPT, {Lang.KO: "내 거예요", Lang.EN: "That one is mine"}),
    ActionId.EXTEND: Action(
        CommandName.EXTEND,
        {Lang.KO: f"{LONGER_MIN}분 더 걸려요", Lang.EN: f"It takes {LONGER_MIN} min more"},
        CommandParams(minutes=LONGER_MIN),
    ),
    ActionId.CLAIM: Action(CommandName.CLAIM, {Lang.KO: "출발해요", Lang.EN: "On my way"}),
    ActionId.ARRIVE: Action(CommandName.ARRIVE, {Lang.KO: "도착해요", Lang.EN: "I'm here"}),
    ActionId.START: Action(CommandName.START, {Lang.KO: "사용 등록", Lang.EN: "I'm using it"}),
}
