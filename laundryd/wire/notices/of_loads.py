"""Rows about a resident's own load, from its start until it is out."""

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
    Origin,
    Text,
    Urgency,
    Who,
)
from laundryd.wire.phases import Cause

OF_LOADS: Final[Mapping[NoticeKind, NoticeRow]] = {
    NoticeKind.STARTED: NoticeRow(
        cause="A resident registered the machine as in use, or the plug saw it start while its holder"
        " stood before it.",
        who=Who.OWNER,
        when={Lang.KO: "사용이 시작됐을 때", Lang.EN: "Your machine's use has begun"},
        params=("name",),
        texts={
            Lang.KO: Text("사용이 시작됐어요", "{name}: 내 것으로 등록됐어요."),
            Lang.EN: Text("In use", "{name} is in use and registered as yours."),
        },
        urgency=Urgency.NORMAL,
        useful_for=timedelta(minutes=10),
        channel=Channel.APP,
        held_in_quiet_hours=True,
        quiet_because="It is never pushed, so it wakes nobody: who has just started it knows.",
        may_turn_off=True,
        off_because="The machine's card says the same.",
        moot_after=(Cause.RELEASED, Cause.NOT_STARTED, Cause.FINISHED, Cause.OUT_OF_ORDER),
    ),
    NoticeKind.ENDING_SOON: NoticeRow(
        cause="The machine's end is about five minutes away.",
        who=Who.OWNER,
        when={Lang.KO: "끝나기 약 5분 전", Lang.EN: "Your machine ends in about five minutes"},
        params=("name", "minutes"),
        texts={
            Lang.KO: Text("곧 끝나요", "{name}: 약 {minutes}분 뒤에 끝나요."),
            Lang.EN: Text("Ending soon", "{name} will be done in about {minutes} min."),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=10),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="Who sleeps will not walk down in five minutes; in the morning it is long over,"
        " and that it is done is told then.",
        may_turn_off=True,
        off_because="That it is done is told in any case.",
        actions=(ActionId.EXTEND,),
        moot_after=(
            Cause.FINISHED,
            Cause.EXTENDED,
            Cause.RELEASED,
            Cause.COLLECTED,
            Cause.OUT_OF_ORDER,
        ),
    ),
    NoticeKind.DONE: NoticeRow(
        cause="The machine is done; the laundry is still inside.",
        who=Who.OWNER,
        when={Lang.KO: "다 됐을 때", Lang.EN: "Your machine is done"},
        params=("name",),
        texts={
            Lang.KO: Text("다 됐어요", "{name}: 세탁물을 꺼내 주세요."),
            Lang.EN: Text("Done", "{name} is done. Please collect your laundry."),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(hours=12),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="A wash that is done at 3 a.m. is as well collected at 7; it is told when the"
        " quiet hours end, unless it was collected by then.",
        may_turn_off=True,
        off_because="Some go by their own timer; the card says that it is done.",
        actions=(ActionId.COLLECT, ActionId.EXTEND),
        moot_after=(Cause.COLLECTED, Cause.RESUMED, Cause.CYCLE_STARTED, Cause.OUT_OF_ORDER),
    ),
    NoticeKind.RESUMED: NoticeRow(
        cause="A machine that was called done goes on with the same load: its plug saw it, or sees it"
        " run since before the end that a timer told, or since before it was called not started.",
        who=Who.OWNER,
        when={
            Lang.KO: "끝난 줄 알았는데 계속 돌 때",
            Lang.EN: "It goes on although you were told that it is done",
        },
        params=("name",),
        texts={
            Lang.KO: Text(
                "아직 돌고 있어요", "{name}: 끝난 줄 알았는데 계속 돌고 있어요. 다시 알려 드릴게요."
            ),
            Lang.EN: Text(
                "It goes on after all", "{name} is still running. You will be told when it is done."
            ),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(hours=2),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="The wrong “done” was held back as well and is not told any more, so there is"
        " nothing to correct before morning.",
        may_turn_off=False,
        off_because="Who was told something wrong is told what is right.",
        moot_after=(Cause.FINISHED, Cause.COLLECTED, Cause.RELEASED, Cause.OUT_OF_ORDER),
    ),
    NoticeKind.REMINDER: NoticeRow(
        cause="A finished machine was not collected for a while; three times at most.",
        who=Who.OWNER,
        when={
            Lang.KO: "세탁물이 아직 안에 있을 때",
            Lang.EN: "Your laundry is still in the machine",
        },
        params=("name", "minutes"),
        texts={
            Lang.KO: Text(
                "세탁물이 아직 있어요", "{name}: {minutes}분 전에 끝났어요. 꺼내 주세요."
            ),
            Lang.EN: Text(
                "Your laundry is still there",
                "{name} was done {minutes} min ago. Please collect it.",
            ),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=30),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="At night hardly anybody waits for the machine; “done” is told in the morning and"
        " is reminder enough.",
        may_turn_off=True,
        off_because="It says again what was told.",
        actions=(ActionId.COLLECT, ActionId.EXTEND),
        moot_after=(Cause.COLLECTED, Cause.RESUMED, Cause.CYCLE_STARTED, Cause.OUT_OF_ORDER),
    ),
    NoticeKind.COLLECTED_FOR_YOU: NoticeRow(
        cause="Staff took the laundry out of a finished machine, or its plug saw the next load start.",
        who=Who.OWNER,
        when={
            Lang.KO: "다른 사람이 내 세탁물을 꺼냈을 때",
            Lang.EN: "Somebody took your laundry out",
        },
        params=("name",),
        texts={
            Lang.KO: Text(
                "누군가 세탁물을 꺼냈어요", "{name}: 기기가 비워졌어요. 세탁물을 찾아가 주세요."
            ),
            Lang.EN: Text(
                "Your laundry was taken out", "{name} was emptied. Please pick up your laundry."
            ),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(hours=12),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="The laundry lies beside the machine already; it can be fetched in the morning.",
        may_turn_off=False,
        off_because="Somebody touched what is yours: you are told, in the app at least.",
    ),
    NoticeKind.NOT_STARTED: NoticeRow(
        cause="A machine was registered as in use, but its plug saw no power for five minutes.",
        who=Who.OWNER,
        when={
            Lang.KO: "등록했는데 기기가 돌지 않을 때",
            Lang.EN: "The machine that you registered does not run",
        },
        params=("name",),
        texts={
            Lang.KO: Text("시작되지 않았어요", "{name}: 기기가 돌지 않아 사용 등록을 풀었어요."),
            Lang.EN: Text("It did not start", "{name} is not running, so it is free again."),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=30),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=False,
        quiet_because="They stood before the machine five minutes ago, so they are up, and believe that"
        " it washes.",
        may_turn_off=False,
        off_because="It takes back what they said themselves; else they come down to dry laundry.",
        actions=(ActionId.CLAIM,),
    ),
    NoticeKind.EDGE_GONE: NoticeRow(
        cause="The relay has not heard the room's computer for ten minutes while the machine ran; once"
        " an outage.",
        who=Who.OWNER,
        when={
            Lang.KO: "세탁실과 연결이 끊겼을 때",
            Lang.EN: "We cannot see your machine any more",
        },
        params=("name",),
        texts={
            Lang.KO: Text(
                "기기가 보이지 않아요",
                "{name}: 세탁실과 연결이 끊겨 끝나도 알려 드릴 수 없어요. 시간을 확인해 주세요.",
            ),
            Lang.EN: Text(
                "We cannot see your machine",
                "{name}: the room's computer is not heard. Please watch the time yourself.",
            ),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(hours=12),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="The machine runs on without us, and by night they would not have been told of its"
        " end either; in the morning it is told if the room is still not heard.",
        may_turn_off=False,
        off_because="We promised to tell them the end and cannot: who relies on us must know.",
        origin=Origin.RELAY,
    ),
}
