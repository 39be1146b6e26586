"""The table of MQTT topics, ``laundry/v1/{site}/{room}/...``: who says what to whom, and how it is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import BaseModel

from laundryd.wire.commands import CommandAnswer, DownCommand, StaffCommand, UpAnswer
from laundryd.wire.dashboards import MachineEvent, MachineState
from laundryd.wire.ids import ID_PATTERN, SLUG_PATTERN, RoomRef
from laundryd.wire.uplink import (
    DownAck,
    DownAnnouncement,
    DownHello,
    DownNotice,
    DownRoster,
    DownTold,
    UpEvents,
    UpHello,
    UpPresence,
    UpSnapshot,
)

PREFIX: Final = "laundry/v1"
QOS: Final = 1
"""Every topic: a PUBACK is no proof of keeping, but QoS 0 would not even cross a busy link."""
MAX_PAYLOAD_BYTES: Final = 262_144
"""Largest payload taken from a broker; a full batch of entries is a quarter of it."""


class Topic(StrEnum):
    """Topics below ``laundry/v1/{site}/{room}/``. ``{id}``, ``{user}``, ``{relay_id}`` are one level."""

    AVAILABILITY = "availability"
    MACHINE_STATE = "machine/{id}/state"
    MACHINE_EVENT = "machine/{id}/event"
    STAFF_COMMAND = "staff/{user}/command"
    STAFF_ANSWER = "staff/{user}/answer"
    UP_HELLO = "up/hello"
    DOWN_HELLO = "down/hello"
    UP_EVENTS = "up/events"
    UP_SNAPSHOT = "up/snapshot"
    UP_PRESENCE = "up/presence"
    DOWN_ACK = "down/ack"
    DOWN_COMMAND = "down/command"
    UP_ANSWER = "up/answer/{relay_id}"
    DOWN_TOLD = "down/told"
    DOWN_NOTICE = "down/notice"
    DOWN_ANNOUNCEMENT = "down/announcement"
    DOWN_ROSTER = "down/roster"
    CHECK = "check"


class Side(StrEnum):
    """Who publishes, who subscribes."""

    EDGE = "edge"
    RELAY = "relay"
    STAFF = "staff"
    DASHBOARD = "dashboard"


@dataclass(frozen=True, slots=True)
class TopicRow:
    """``brokers``: ``room``, ``cloud`` or ``both``. ``payload`` None: the plain text in ``says``."""

    publisher: Side
    reader: Side
    brokers: str
    retained: bool
    payload: type[BaseModel] | None
    says: str


TOPICS: Final[dict[Topic, TopicRow]] = {
    Topic.AVAILABILITY: TopicRow(
        Side.EDGE,
        Side.RELAY,
        "both",
        True,
        None,
        "`online`, or `offline` (also as the edge's will)",
    ),
    Topic.MACHINE_STATE: TopicRow(
        Side.EDGE,
        Side.DASHBOARD,
        "both",
        True,
        MachineState,
        "One machine, flat. At the room's broker with measured values, at the cloud's phase changes only",
    ),
    Topic.MACHINE_EVENT: TopicRow(
        Side.EDGE, Side.DASHBOARD, "room", False, MachineEvent, "One change of one machine"
    ),
    Topic.STAFF_COMMAND: TopicRow(
        Side.STAFF,
        Side.EDGE,
        "room",
        False,
        StaffCommand,
        "Out of order, repaired, ended, collected, fault cleared",
    ),
    Topic.STAFF_ANSWER: TopicRow(
        Side.EDGE,
        Side.STAFF,
        "room",
        False,
        CommandAnswer,
        "What came of a staff command; the same `id` is carried out once and answered again",
    ),
    Topic.UP_HELLO: TopicRow(
        Side.EDGE,
        Side.RELAY,
        "cloud",
        False,
        UpHello,
        "First word of each connection, and a sign of life after a minute without another word",
    ),
    Topic.DOWN_HELLO: TopicRow(
        Side.RELAY, Side.EDGE, "cloud", False, DownHello, "The answer: what the relay already has"
    ),
    Topic.UP_EVENTS: TopicRow(
        Side.EDGE, Side.RELAY, "cloud", False, UpEvents, "A batch of journal entries"
    ),
    Topic.UP_SNAPSHOT: TopicRow(
        Side.EDGE, Side.RELAY, "cloud", False, UpSnapshot, "The whole room at a position"
    ),
    Topic.UP_PRESENCE: TopicRow(
        Side.EDGE,
        Side.RELAY,
        "cloud",
        False,
        UpPresence,
        "Who is connected and attentive in the room",
    ),
    Topic.DOWN_ACK: TopicRow(
        Side.RELAY,
        Side.EDGE,
        "cloud",
        False,
        DownAck,
        "What the relay keeps, or misses; without a `word`: the relay has just connected, say hello",
    ),
    Topic.DOWN_COMMAND: TopicRow(
        Side.RELAY, Side.EDGE, "cloud", False, DownCommand, "A remote resident's command"
    ),
    Topic.UP_ANSWER: TopicRow(Side.EDGE, Side.RELAY, "cloud", False, UpAnswer, "The answer to it"),
    Topic.DOWN_TOLD: TopicRow(
        Side.RELAY, Side.EDGE, "cloud", False, DownTold, "Notices that were told or read elsewhere"
    ),
    Topic.DOWN_NOTICE: TopicRow(
        Side.RELAY,
        Side.EDGE,
        "cloud",
        False,
        DownNotice,
        "A notice of the relay's own, for somebody on the room's page",
    ),
    Topic.DOWN_ANNOUNCEMENT: TopicRow(
        Side.RELAY, Side.EDGE, "cloud", True, DownAnnouncement, "What to show in the room now"
    ),
    Topic.DOWN_ROSTER: TopicRow(
        Side.RELAY,
        Side.EDGE,
        "cloud",
        True,
        DownRoster,
        "Keys, revocations and declined kinds, signed",
    ),
    Topic.CHECK: TopicRow(
        Side.EDGE,
        Side.STAFF,
        "room",
        False,
        None,
        "What `laundryd edge check` says to itself, to see that it is let",
    ),
}

_ROW_PATTERNS: Final[dict[Topic, re.Pattern[str]]] = {
    topic: re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/+#]+)", topic.value)) for topic in Topic
}
_SLUG: Final = re.compile(SLUG_PATTERN)
_ID: Final = re.compile(ID_PATTERN)


@dataclass(frozen=True, slots=True)
class Address:
    """A topic of ours taken apart. ``variable`` is the value of its one variable level, or None."""

    room: RoomRef
    topic: Topic
    variable: str | None = None


def topic_name(room: RoomRef, topic: Topic, variable: str | None = None) -> str:
    """Write the full name of ``topic`` in ``room``; ``variable`` fills its variable level.

    Raises:
        ValueError: ``variable`` is missing, is not wanted, or is not one clean level.

    """
    tail = topic.value
    if "{" in tail:
        if variable is None or not _ID.fullmatch(variable):
            raise ValueError(f"{topic.value}: {variable!r} cannot fill its variable level")
        tail = re.sub(r"\{\w+\}", variable, tail)
    elif variable is not None:
        raise ValueError(f"{topic.value} has no variable level, {variable!r} was given")
    return f"{PREFIX}/{room.site}/{room.room}/{tail}"


def client_id(link: str, room: RoomRef) -> str:
    """Name the connection ``link`` of ``room``'s edge at a broker: always the same, and nobody else's.

    Some brokers refuse a dot in it, so the two slugs are joined by what stands in none either.
    """
    return f"laundryd-{link}-{room.site}_{room.room}"


def topic_filter(topic: Topic, room: RoomRef | None = None, variable: str | None = None) -> str:
    """Write the subscription filter of ``topic``; None stands for every room, every variable."""
    tail = re.sub(r"\{\w+\}", variable or "+", topic.value)
    where = f"{room.site}/{room.room}" if room else "+/+"
    return f"{PREFIX}/{where}/{tail}"


def parse_topic(name: str) -> Address | None:
    """Take a full topic name apart; None when it is none of ours."""
    head, sep, rest = name.partition(PREFIX + "/")
    if head or not sep:
        return None
    site, _, rest = rest.partition("/")
    room, _, tail = rest.partition("/")
    if not (_SLUG.fullmatch(site) and _SLUG.fullmatch(room)):
        return None
    for topic, pattern in _ROW_PATTERNS.items():
        if match := pattern.fullmatch(tail):
            variable = next(iter(match.groupdict().values()), None)
            return Address(RoomRef(site=site, room=room), topic, variable)
    return None
