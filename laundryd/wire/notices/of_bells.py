"""The row that a resident asks for themselves, to see whether a device of theirs is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from laundryd.wire.notices.words import (
    Channel,
    Lang,
    NoticeKind,
    NoticeRow,
    Origin,
    Text,
    Urgency,
    Who,
)

OF_BELLS: Final[Mapping[NoticeKind, NoticeRow]] = {
    NoticeKind.TEST: NoticeRow(
        cause="A resident presses “Send me a test”: to each of their devices at once, whatever they wish"
        " and wherever they look, and kept in no list.",
        who=Who.TESTER,
        when={Lang.KO: "시험 알림을 보낼 때", Lang.EN: "You send yourself a test"},
        params=("name",),
        texts={
            Lang.KO: Text("알림이 잘 와요", "{name}: 시험 알림이에요. 세탁실 소식도 이렇게 와요."),
            Lang.EN: Text("The bell works", "{name}: this is a test. This is how you are told."),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=5),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=False,
        quiet_because="Whoever presses the button is awake and waits for it.",
        may_turn_off=False,
        off_because="It comes only when it is asked for.",
        origin=Origin.RELAY,
        of_machine=False,
        is_chosen=False,
    ),
}
