"""Rows that somebody else causes: neighbours and the staff."""

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

OF_OTHERS: Final[Mapping[NoticeKind, NoticeRow]] = {
    NoticeKind.PICKUP_REQUESTED: NoticeRow(
        cause="Another resident asks the owner of a finished machine to collect; never said who.",
        who=Who.OWNER,
        when={
            Lang.KO: "누군가 꺼내 달라고 할 때",
            Lang.EN: "Somebody asks you to collect",
        },
        params=("name",),
        texts={
            Lang.KO: Text("세탁물을 꺼내 달래요", "{name}: 다른 분이 기다리고 있어요."),
            Lang.EN: Text("Somebody is waiting", "{name}: please collect your laundry."),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=30),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="Nobody is woken for a neighbour's wash; who washes at night finds another machine"
        " or waits for the morning.",
        may_turn_off=True,
        off_because="Requests can be refused in a room as well (“No requests please”).",
        actions=(ActionId.COMING, ActionId.COLLECT),
        moot_after=(
            Cause.COLLECTED,
            Cause.OWNER_COMING,
            Cause.RESUMED,
            Cause.CYCLE_STARTED,
            Cause.OUT_OF_ORDER,
        ),
    ),
    NoticeKind.OWNER_COMING: NoticeRow(
        cause="The owner of a finished machine answers those who asked them to collect.",
        who=Who.ASKERS,
        when={
            Lang.KO: "부탁한 세탁물의 주인이 올 때",
            Lang.EN: "The owner whom you asked is coming",
        },
        params=("name",),
        texts={
            Lang.KO: Text("곧 꺼내러 온대요", "{name}: 주인이 가지러 오고 있어요."),
            Lang.EN: Text("The owner is coming", "{name} will be emptied soon."),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=15),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=False,
        quiet_because="They asked a while ago and wait beside the machine; it is the answer to their own"
        " question.",
        may_turn_off=True,
        off_because="The machine's card says the same.",
        moot_after=(Cause.RESUMED, Cause.OUT_OF_ORDER),
    ),
    NoticeKind.OUT_OF_ORDER: NoticeRow(
        cause="Staff took a machine out of order that a resident held or used.",
        who=Who.OWNER_OR_HOLDER,
        when={
            Lang.KO: "쓰거나 맡아 둔 기기가 고장일 때",
            Lang.EN: "The machine that you use or hold is out of order",
        },
        params=("name",),
        texts={
            Lang.KO: Text(
                "기기가 고장이에요",
                "{name}: 지금은 쓸 수 없어요. 안에 세탁물이 있으면 관리실에 문의해 주세요.",
            ),
            Lang.EN: Text(
                "Out of order",
                "{name} cannot be used for now. If your laundry is inside, ask the staff.",
            ),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(hours=12),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="Staff has the machine in hand and the laundry is safe; by night nobody can do"
        " more, and in the morning it is told.",
        may_turn_off=False,
        off_because="Their laundry may be locked in, or their walk be in vain.",
        moot_after=(Cause.REPAIRED,),
    ),
    NoticeKind.REPAIRED: NoticeRow(
        cause="A machine is repaired that a resident held or used when it failed.",
        who=Who.OWNER_OR_HOLDER,
        when={
            Lang.KO: "고장 났던 내 기기가 고쳐졌을 때",
            Lang.EN: "The machine that failed while you had it is repaired",
        },
        params=("name",),
        texts={
            Lang.KO: Text("수리가 끝났어요", "{name}: 다시 쓸 수 있어요."),
            Lang.EN: Text("Repaired", "{name} works again."),
        },
        urgency=Urgency.NORMAL,
        useful_for=timedelta(hours=12),
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="Good news that needs nothing tonight.",
        may_turn_off=True,
        off_because="The machine's card says that it can be used.",
        actions=(ActionId.CLAIM,),
        moot_after=(Cause.OUT_OF_ORDER,),
    ),
    NoticeKind.ANNOUNCEMENT: NoticeRow(
        cause="Staff announces something, now or at a time that they chose: repair, fault, maintenance,"
        " or anything else.",
        who=Who.ADDRESSED,
        when={Lang.KO: "관리실 공지", Lang.EN: "Announcements of the staff"},
        params=("title_ko", "body_ko", "title_en", "body_en"),
        texts={
            Lang.KO: Text("{title_ko}", "{body_ko}"),
            Lang.EN: Text("{title_en}", "{body_en}"),
        },
        urgency=Urgency.HIGH,
        useful_for=timedelta(days=2),  # where staff names no end
        channel=Channel.APP_AND_PUSH,
        held_in_quiet_hours=True,
        quiet_because="Maintenance can wait until morning; what cannot, its writer marks as urgent, and"
        " then it is not held back.",
        may_turn_off=False,
        off_because="That the room is closed tomorrow concerns who has turned off everything, too; in the"
        " app at least.",
        origin=Origin.RELAY,
        of_machine=False,
    ),
}
