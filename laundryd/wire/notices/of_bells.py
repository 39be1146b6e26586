"""Rows about the bells themselves: that one ends, and the test that a resident asks for."""

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
    NoticeKind.BELL_ENDING: NoticeRow(
        cause="A push subscription ends within seven days, as its browser says, or within half of its life"
        " if that is shorter, and its app was not opened to renew it; once.",
        who=Who.SUBSCRIBER,
        when={
            Lang.KO: "내 기기의 알림이 곧 끝날 때",
            Lang.EN: "The bell of a device of yours ends soon",
        },
        params=("name", "days"),
        texts={
            Lang.KO: Text(
                "알림이 곧 끝나요",
                "{name}: {days}일 뒤면 알림이 끊겨요. 그 기기에서 앱을 한 번 열어 주세요.",
            ),
            Lang.EN: Text(
                "A bell ends soon",
                "Days left on {name}: {days}. Open the app there once, and it goes on ringing.",
            ),
        },
        urgency=Urgency.NORMAL,
        useful_for=timedelta(days=7),  # until it ends
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="There are days left to open the app.",
        may_turn_off=False,
        off_because="Without it everything else would fall silent unannounced.",
        origin=Origin.RELAY,
        of_machine=False,
        is_chosen=False,
    ),
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
