from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import aiosqlite
import pytest

from cloud_relay.residents.people import People
from cloud_relay.residents.preferences import PreferenceStore
from cloud_relay.residents.roster import Rosters
from cloud_relay.residents.roster_publisher import RosterPublisher
from cloud_relay.residents.tokens import TOKEN_LIFE, Tokens
from laundryd.daemon.clock import Clock
from laundryd.daemon.sqlite import transaction
from laundryd.daemon.tokens import SigningKey, TokenRefusedError, verify_document
from laundryd.wire.notices import Lang, NoticeKind
from laundryd.wire.preferences import Choice, NoticePreferences
from laundryd.wire.uplink import DownRoster, Roster

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROOM = "maple-hall.north"


class Setup:
    def __init__(self, db: aiosqlite.Connection, folder: Path) -> None:
        self.db = db
        self.people = People(db)
        self.enrolment = SigningKey.load_or_create(folder / "enrolment.pem")
        self.tokens = Tokens(SigningKey.load_or_create(folder / "signing.pem"))

    def rosters(self, relay_url: str = "https://relay.example.org") -> Rosters:
        return Rosters(
            self.db,
            people=self.people,
            preferences=PreferenceStore(self.db),
            tokens=self.tokens,
            enrolment_key=self.enrolment,
            relay_url=relay_url,
        )

    def read(self, down: DownRoster) -> Roster:
        return Roster.model_validate(verify_document(down.jws, self.enrolment.verify_key))

    async def add_and_revoke(self) -> str:
        async with transaction(self.db):
            resident = await self.people.add_resident_in(Lang.EN, NOW)
            device = await self.people.add_device_in(resident, "Phone", NOW)
            await self.people.add_room_in(resident, ROOM, NOW)
        await self.people.revoke(resident, device, NOW)
        return device


@pytest.fixture
def setup(relay_db: aiosqlite.Connection, tmp_path: Path) -> Setup:
    return Setup(relay_db, tmp_path)


async def test_the_same_content_is_the_same_version_also_after_a_restart(setup: Setup) -> None:
    first = await setup.rosters().current(ROOM, NOW)
    assert await setup.rosters().current(ROOM, NOW) == first
    assert setup.read(first).version == 1


async def test_every_change_counts_the_version_up_and_it_never_goes_back(setup: Setup) -> None:
    before = setup.read(await setup.rosters().current(ROOM, NOW))
    device = await setup.add_and_revoke()
    after = setup.read(await setup.rosters().current(ROOM, NOW))
    moved = setup.read(await setup.rosters("https://new.example.org").current(ROOM, NOW))
    later = setup.read(
        await setup.rosters("https://new.example.org").current(ROOM, NOW + TOKEN_LIFE)
    )
    assert (before.revoked_devices, after.revoked_devices) == ([], [device])
    assert later.revoked_devices == []
    assert [one.version for one in (before, after, moved, later)] == [1, 2, 3, 4]


async def test_a_roster_names_what_its_members_wish_to_be_told_nothing_of(setup: Setup) -> None:
    changes: list[str] = []
    preferences = PreferenceStore(setup.db, lambda: changes.append("changed"))
    async with transaction(setup.db):
        member, guest = [await setup.people.add_resident_in(Lang.EN, NOW) for _ in range(2)]
        await setup.people.add_room_in(member, ROOM, NOW)
    before = setup.read(await setup.rosters().current(ROOM, NOW))
    wishes = NoticePreferences(
        choices={
            NoticeKind.STARTED: Choice.NOTHING,
            NoticeKind.REMINDER: Choice.NOTHING,
            NoticeKind.ENDING_SOON: Choice.APP_ONLY,
            # It may not be turned off: it is told in the app, whatever was wished.
            NoticeKind.RESUMED: Choice.NOTHING,
        }
    )
    for resident in (member, guest):
        await preferences.put(resident, wishes)
    after = setup.read(await setup.rosters().current(ROOM, NOW))
    await preferences.put(member, NoticePreferences())
    at_last = setup.read(await setup.rosters().current(ROOM, NOW))
    assert [one.declined for one in (before, after, at_last)] == [
        {},
        {member: [NoticeKind.REMINDER, NoticeKind.STARTED]},
        {},
    ]
    assert [one.version for one in (before, after, at_last)] == [1, 2, 3]
    assert changes == ["changed"] * 3


async def test_a_roster_names_the_keys_that_residents_tokens_are_signed_with(setup: Setup) -> None:
    roster = setup.read(await setup.rosters().current(ROOM, NOW))
    assert roster.keys == setup.tokens.verify_keys
    assert roster.audience == "edge:maple-hall/north"


async def test_a_roster_signed_by_another_key_is_refused(setup: Setup) -> None:
    down = await setup.rosters().current(ROOM, NOW)
    with pytest.raises(TokenRefusedError):
        verify_document(down.jws, setup.tokens.verify_keys[0])


class Recorder:
    """A broker link that keeps what was published, or is away."""

    def __init__(self) -> None:
        self.connected = True
        self.sent: list[tuple[str, bool]] = []

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        assert payload
        if self.connected:
            self.sent.append((topic, retain))
        return self.connected


async def test_a_roster_is_published_retained_once_and_again_at_each_connect(
    setup: Setup,
) -> None:
    async with transaction(setup.db) as db:
        await db.execute(
            "INSERT INTO rooms (room, name, heard_at) VALUES (?, 'North', '2026-11-23T12:00:00Z')",
            (ROOM,),
        )
    link = Recorder()
    publisher = RosterPublisher(setup.rosters(), link, Clock())
    topic = "laundry/v1/maple-hall/north/down/roster"
    link.connected = False
    assert await publisher.publish_new() == 0
    link.connected = True
    assert [await publisher.publish_new() for _ in range(2)] == [1, 0]
    publisher.connected()
    assert await publisher.publish_new() == 1
    assert link.sent == [(topic, True)] * 2


@pytest.fixture
async def enrolled(setup: Setup) -> Setup:
    async with transaction(setup.db) as db:
        await db.execute(
            "INSERT INTO rooms (room, name, heard_at) VALUES (?, 'North', '2026-11-23T12:00:00Z')",
            (ROOM,),
        )
    return setup


async def test_a_room_that_has_another_roster_is_sent_the_newest_again(enrolled: Setup) -> None:
    publisher = RosterPublisher(enrolled.rosters(), Recorder(), Clock())
    assert await publisher.publish_new() == 1
    await publisher.heard(ROOM, 1)
    assert await publisher.publish_new() == 0, "it has the newest"
    await publisher.heard(ROOM, None)
    assert await publisher.publish_new() == 1, "it never came, or was lost with the room's store"
    await enrolled.add_and_revoke()
    assert await publisher.publish_new() == 1
    await publisher.heard(ROOM, 1)
    assert [await publisher.publish_new() for _ in range(2)] == [1, 0]


async def test_a_relay_that_was_restored_to_less_goes_on_after_the_version_that_the_room_has(
    enrolled: Setup,
) -> None:
    link = Recorder()
    publisher = RosterPublisher(enrolled.rosters(), link, Clock())
    assert await publisher.publish_new() == 1
    await publisher.heard(ROOM, 7)
    assert await publisher.publish_new() == 1
    now = enrolled.read(await enrolled.rosters().current(ROOM, NOW))
    assert now.version == 8, "a lower one would be refused, and who was signed out let in"
    await publisher.heard(ROOM, 8)
    assert await publisher.publish_new() == 0
