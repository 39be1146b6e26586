"""The table of notices: what a resident is told, in which words, and for how long it is worth telling.

The edge derives the notices of a change from this table and writes them into the journal; the relay
plans them and never derives them again. A notice travels as kind and parameters. Whoever shows it
renders the text in the resident's language from this same table (the app has it as JSON).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from laundryd.wire.ids import NoticeId, Position, ResidentId, RoomKey, Slug, WireModel
from laundryd.wire.times import Moment


class Lang(StrEnum):
    """Languages that the texts exist in."""

    KO = "ko"
    EN = "en"


class NoticeKind(StrEnum):
    """What is told; one row of ``NOTICES`` each."""

    ENDING_SOON = "ending_soon"
    DONE = "done"
    HOLD_ENDED = "hold_ended"
    STARTED_BY_OTHER = "started_by_other"
    COLLECTED_FOR_YOU = "collected_for_you"
    NOT_STARTED = "not_started"
    RESUMED = "resumed"
    REMINDER = "reminder"
    PICKUP_REQUESTED = "pickup_requested"
    OWNER_COMING = "owner_coming"
    MACHINE_FREE = "machine_free"
    OUT_OF_ORDER = "out_of_order"
    REPAIRED = "repaired"


class Urgency(StrEnum):
    """RFC 8030 section 5.3. iPhones show only ``high`` at once."""

    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Text:
    """A title and a body; ``{name}`` and ``{minutes}`` stand for the notice's parameters."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One row of the table.

    ``params`` are the names that the texts use. ``useful_for`` runs from the cause; after it the notice
    is not told any more.
    """

    cause: str
    params: tuple[str, ...]
    urgency: Urgency
    useful_for: timedelta
    texts: dict[Lang, Text]


NOTICES: Final[dict[NoticeKind, NoticeRow]] = {
    NoticeKind.ENDING_SOON: NoticeRow(
        cause="The machine's end is about five minutes away.",
        params=("name", "minutes"),
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=10),
        texts={
            Lang.KO: Text("곧 끝나요", "{name}: 약 {minutes}분 뒤에 끝나요."),
            Lang.EN: Text("Ending soon", "{name} will be done in about {minutes} min."),
        },
    ),
    NoticeKind.DONE: NoticeRow(
        cause="The machine is done; the laundry is still inside.",
        params=("name",),
        urgency=Urgency.HIGH,
        useful_for=timedelta(hours=12),
        texts={
            Lang.KO: Text("다 됐어요", "{name}: 세탁물을 꺼내 주세요."),
            Lang.EN: Text("Done", "{name} is done. Please collect your laundry."),
        },
    ),
    NoticeKind.HOLD_ENDED: NoticeRow(
        cause="The time to arrive or to start ran out.",
        params=("name",),
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=30),
        texts={
            Lang.KO: Text("맡아 둔 시간이 끝났어요", "{name}: 이제 누구나 쓸 수 있어요."),
            Lang.EN: Text("Your hold has ended", "{name} is free for everybody again."),
        },
    ),
    NoticeKind.STARTED_BY_OTHER: NoticeRow(
        cause="A machine held for a resident on the way was started.",
        params=("name",),
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=30),
        texts={
            Lang.KO: Text(
                "기기가 시작됐어요", "{name}: 본인이 시작했다면 '내 거예요'를 눌러 주세요."
            ),
            Lang.EN: Text(
                "It was started", "{name} runs now. If that was you, tap “That one is mine”."
            ),
        },
    ),
    NoticeKind.COLLECTED_FOR_YOU: NoticeRow(
        cause="A finished machine was emptied or started again by somebody else.",
        params=("name",),
        urgency=Urgency.HIGH,
        useful_for=timedelta(hours=12),
        texts={
            Lang.KO: Text(
                "누군가 세탁물을 꺼냈어요", "{name}: 기기가 비워졌어요. 세탁물을 찾아가 주세요."
            ),
            Lang.EN: Text(
                "Your laundry was taken out", "{name} was emptied. Please pick up your laundry."
            ),
        },
    ),
    NoticeKind.NOT_STARTED: NoticeRow(
        cause="A machine was registered as in use, but its plug saw no power for five minutes.",
        params=("name",),
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=30),
        texts={
            Lang.KO: Text("시작되지 않았어요", "{name}: 기기가 돌지 않아 사용 등록을 풀었어요."),
            Lang.EN: Text("It did not start", "{name} is not running, so it is free again."),
        },
    ),
    NoticeKind.RESUMED: NoticeRow(
        cause="A machine that was called done, or not started, runs after all with their load.",
        params=("name",),
        urgency=Urgency.HIGH,
        useful_for=timedelta(hours=2),
        texts={
            Lang.KO: Text(
                "아직 돌고 있어요", "{name}: 끝난 줄 알았는데 계속 돌고 있어요. 다시 알려 드릴게요."
            ),
            Lang.EN: Text(
                "It goes on after all", "{name} is still running. You will be told when it is done."
            ),
        },
    ),
    NoticeKind.REMINDER: NoticeRow(
        cause="A finished machine was not collected for a while.",
        params=("name", "minutes"),
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=30),
        texts={
            Lang.KO: Text(
                "세탁물이 아직 있어요", "{name}: {minutes}분 전에 끝났어요. 꺼내 주세요."
            ),
            Lang.EN: Text(
                "Your laundry is still there",
                "{name} was done {minutes} min ago. Please collect it.",
            ),
        },
    ),
    NoticeKind.PICKUP_REQUESTED: NoticeRow(
        cause="Another resident asks the owner of a finished machine to collect.",
        params=("name",),
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=30),
        texts={
            Lang.KO: Text("세탁물을 꺼내 달래요", "{name}: 다른 분이 기다리고 있어요."),
            Lang.EN: Text("Somebody is waiting", "{name}: please collect your laundry."),
        },
    ),
    NoticeKind.OWNER_COMING: NoticeRow(
        cause="The owner of a finished machine answers those who asked them to collect.",
        params=("name",),
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=15),
        texts={
            Lang.KO: Text("곧 꺼내러 온대요", "{name}: 주인이 가지러 오고 있어요."),
            Lang.EN: Text("The owner is coming", "{name} will be emptied soon."),
        },
    ),
    NoticeKind.MACHINE_FREE: NoticeRow(
        cause="A machine of a kind that a resident waits for is free, and it is their turn.",
        params=("name", "minutes"),
        urgency=Urgency.HIGH,
        useful_for=timedelta(minutes=3),  # as long as a turn: then the next in line is told
        texts={
            Lang.KO: Text("기기가 비었어요", "{name}: {minutes}분 동안 먼저 알려 드려요."),
            Lang.EN: Text(
                "A machine is free", "{name} is free. For {minutes} min nobody else is told."
            ),
        },
    ),
    NoticeKind.OUT_OF_ORDER: NoticeRow(
        cause="Staff took a machine out of order that a resident held or used.",
        params=("name",),
        urgency=Urgency.HIGH,
        useful_for=timedelta(hours=2),
        texts={
            Lang.KO: Text("기기가 고장이에요", "{name}: 지금은 쓸 수 없어요."),
            Lang.EN: Text("Out of order", "{name} cannot be used for now."),
        },
    ),
    NoticeKind.REPAIRED: NoticeRow(
        cause="A machine is repaired that a resident held or used when it failed.",
        params=("name",),
        urgency=Urgency.NORMAL,
        useful_for=timedelta(hours=12),
        texts={
            Lang.KO: Text("수리가 끝났어요", "{name}: 다시 쓸 수 있어요."),
            Lang.EN: Text("Repaired", "{name} works again."),
        },
    ),
}

_PARAM: Final = re.compile(r"\{(\w+)\}")

NoticeParams = dict[
    Annotated[str, Field(max_length=20)], Annotated[str, Field(max_length=80)] | int
]


class NoticeCard(WireModel):
    """A notice as its resident gets it: on a socket, in a list, in a push. It does not say who."""

    id: NoticeId
    kind: NoticeKind
    room: RoomKey
    machine: Slug
    params: NoticeParams
    caused_at: Moment
    useful_until: Moment


class Notice(NoticeCard):
    """A notice as it travels from the edge to the relay, with the resident it is for."""

    resident: ResidentId

    def card(self) -> NoticeCard:
        """Return the notice without its resident."""
        return NoticeCard.model_validate(self.model_dump(exclude={"resident"}))


def notice_id(
    room: RoomKey, position: Position, kind: NoticeKind, resident: ResidentId
) -> NoticeId:
    """Name a notice from its cause: the same everywhere, and a push ``Topic`` as it stands.

    The first 32 hex characters of SHA-256 over room, epoch, offset, kind and resident, joined by
    newlines, which stand in none of them. 32 characters, because Apple refuses other lengths.
    """
    cause = "\n".join((room, position.epoch, str(position.offset), kind, resident))
    return hashlib.sha256(cause.encode()).hexdigest()[:32]


def derive(
    kind: NoticeKind,
    *,
    room: RoomKey,
    position: Position,
    machine: Slug,
    resident: ResidentId,
    params: NoticeParams,
    at: Moment,
) -> Notice:
    """Make the notice that the change at ``position`` causes for ``resident``.

    Raises:
        ValueError: ``params`` are not those that the row's texts use.

    """
    row = NOTICES[kind]
    if set(params) != set(row.params):
        raise ValueError(f"{kind}: parameters {sorted(params)} given, the texts use {row.params}")
    return Notice(
        id=notice_id(room, position, kind, resident),
        kind=kind,
        room=room,
        machine=machine,
        resident=resident,
        params=params,
        caused_at=at,
        useful_until=at + row.useful_for,
    )


def render(card: NoticeCard, lang: Lang) -> Text:
    """Fill the row's texts in ``lang`` with the notice's parameters."""
    text = NOTICES[card.kind].texts[lang]

    def fill(template: str) -> str:
        # In one go: a machine's own name may have braces.
        return _PARAM.sub(lambda found: str(card.params.get(found[1], found[0])), template)

    return Text(fill(text.title), fill(text.body))
