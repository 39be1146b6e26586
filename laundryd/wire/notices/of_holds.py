"""Rows about machines that a resident holds or waits for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from laundryd.wire.notices.words import (
    ActionId,
    Channel,
    Lang,
    NoticeKind,
    NoticeRow,
    Text,
    Urgency,
    Who,
)
from laundryd.wire.phases import Cause

OF_HOLDS: Final[Mapping[NoticeKind, NoticeRow]] = {
    NoticeKind.HOLD_ENDING: NoticeRow(
        cause="A hold ends in two minutes and its holder has not arrived.",
        who=Who.HOLDER,
        when={
            Lang.KO: "맡아 둔 시간이 끝나기 2분 전",
            Lang.EN: "Your hold ends in two minutes",
        },
        params=("name", "minutes"),
        texts={
            Lang.KO: Text(
                "맡아 둔 시간이 곧 끝나요", "{name}: 약 {minutes}분 남았어요. 도착하면 알려 주세요."
            ),
            Lang.EN: Text(
                "Your hold ends soon",
                "{name} is held for you for about {minutes} min more. Say so when you are there.",
            ),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=2),  # until the hold ends
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=False,
        quiet_because="They said minutes ago that they are on the way, so they are up; later it is worth"
        " nothing.",
        may_turn_off=True,
        off_because="That the hold has ended is told in any case.",
        actions=(ActionId.ARRIVE, ActionId.START),
        moot_after=(
            Cause.ARRIVED,
            Cause.STARTED,
            Cause.RELEASED,
            Cause.HOLD_ENDED,
            Cause.CYCLE_STARTED,
            Cause.OUT_OF_ORDER,
        ),
    ),
    NoticeKind.HOLD_ENDED: NoticeRow(
        cause="The time to arrive or to start ran out.",
        who=Who.HOLDER,
        when={Lang.KO: "맡아 둔 시간이 끝났을 때", Lang.EN: "Your hold has ended"},
        params=("name",),
        texts={
            Lang.KO: Text("맡아 둔 시간이 끝났어요", "{name}: 이제 누구나 쓸 수 있어요."),
            Lang.EN: Text("Your hold has ended", "{name} is free for everybody again."),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=30),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=False,
        quiet_because="They were on the way a quarter of an hour ago at most, so they are up, perhaps on"
        " the stairs with their laundry.",
        may_turn_off=True,
        off_because="Who is on the way sees at the machine whether it is free.",
        actions=(ActionId.CLAIM,),
    ),
    NoticeKind.STARTED_BY_OTHER: NoticeRow(
        cause="The plug saw a machine start that was held for a resident on the way.",
        who=Who.HOLDER,
        when={
            Lang.KO: "맡아 둔 기기가 시작됐을 때",
            Lang.EN: "Somebody started the machine that you held",
        },
        params=("name",),
        texts={
            Lang.KO: Text(
                "기기가 시작됐어요", "{name}: 본인이 시작했다면 '내 거예요'를 눌러 주세요."
            ),
            Lang.EN: Text(
                "It was started", "{name} runs now. If that was you, tap “That one is mine”."
            ),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=30),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=False,
        quiet_because="They are on the way, or stand before it and have just started it: in both cases"
        " they are up and want to know now.",
        may_turn_off=False,
        off_because="Without it a hold would vanish silently, and a load of theirs stay nobody's.",
        actions=(ActionId.ADOPT,),
        moot_after=(Cause.ADOPTED, Cause.COLLECTED, Cause.OUT_OF_ORDER),
    ),
    NoticeKind.MACHINE_FREE: NoticeRow(
        cause="A machine of a kind that a resident waits for is free, and it is their turn.",
        who=Who.FIRST_IN_LINE,
        when={
            Lang.KO: "기다리던 기기가 비었을 때",
            Lang.EN: "A machine that you waited for is free",
        },
        params=("name", "minutes"),
        texts={
            Lang.KO: Text("기기가 비었어요", "{name}: {minutes}분 동안 먼저 알려 드려요."),
            Lang.EN: Text(
                "A machine is free", "{name} is free. For {minutes} min nobody else is told."
            ),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=3),  # a turn: when it ends the next in line is told
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="Who went to bed waiting washes tomorrow; who is still up for it has the app open"
        " and is told there.",
        may_turn_off=False,
        off_because="It comes only to who asked for it, each time anew: not to ask is to turn it off.",
        actions=(ActionId.CLAIM,),
        moot_after=(Cause.CLAIMED, Cause.STARTED, Cause.CYCLE_STARTED, Cause.OUT_OF_ORDER),
    ),
}
