"""The link over a real Mosquitto, with a tiny relay that speaks the wire's models."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from edge.room.inputs import StaffOrder
from edge.store.commit import Commit
from edge.store.edge_store import EdgeStore
from edge.writer import RoomWriter
from laundryd.daemon.clock import Clock
from laundryd.daemon.tokens import SigningKey
from laundryd.wire.announcements import (
    AnnouncementKind,
    AnnouncementText,
    ShownAnnouncement,
    announcement_notice,
)
from laundryd.wire.commands import (
    CommandName,
    CommandParams,
    ResidentCommand,
    StaffCommand,
    StaffCommandName,
)
from laundryd.wire.errors import ErrorCode
from laundryd.wire.events import AckKind, NoticeAck
from laundryd.wire.notices import Lang
from laundryd.wire.topics import MAX_PAYLOAD_BYTES, Topic, topic_name
from laundryd.wire.uplink import DownAck, DownAnnouncement, DownNotice, DownTold
from tests.edge.link.conftest import ROOM, WASHERS, Link, LinkedEdge, until


def offsets(link: Link) -> list[int]:
    return [entry.offset for entry in link.relay.entries]


async def synced(link: Link, edge: LinkedEdge) -> None:
    await until(
        lambda: (
            link.relay.kept == edge.writer.position
            and edge.store.room.acked == edge.writer.position.offset
            and edge.uplink.waiting == 0
        )
    )


async def test_hello_snapshot_events_and_their_acknowledgement(link: Link) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        assert link.relay.hellos[0].head.epoch == edge.writer.position.epoch
        assert link.relay.hellos[0].local_url == "http://127.0.0.1:1"
        assert [one.reason for one in link.relay.snapshots] == ["new_epoch"]
        await edge.claim_and_release(1)
        await synced(link, edge)
        assert offsets(link) == list(range(1, edge.writer.position.offset + 1))
        assert link.relay.availability == "online"
        await until(lambda: link.relay.caught_up >= 1 and len(link.relay.presence) >= 1)
    await until(lambda: link.relay.availability == "offline")


async def test_what_happened_before_the_relay_knew_the_room_reaches_it_as_entries(
    link: Link,
) -> None:
    async with link.edge() as edge:
        # Kept before the first hello is answered: with notices, a snapshot would swallow them.
        await edge.claim_and_release(1)
        await synced(link, edge)
        assert offsets(link) == list(range(1, edge.writer.position.offset + 1))
        assert link.relay.snapshots[0].snapshot.position.offset == 0


async def test_a_broker_killed_and_started_again_loses_and_doubles_nothing(link: Link) -> None:
    await kill_the_broker_three_times(link)


async def test_a_broker_of_mqtt_311_loses_and_doubles_nothing_either(link_over_311: Link) -> None:
    await kill_the_broker_three_times(link_over_311)
    async with link_over_311.edge() as edge:
        await synced(link_over_311, edge)
        assert (await link_over_311.relay.command("wish-1")).answer.ok


async def kill_the_broker_three_times(link: Link) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        for round_ in range(3):
            link.broker.kill()
            await edge.claim_and_release(round_)
            connects = link.relay.connects
            link.broker.start()
            await until(lambda before=connects: link.relay.connects > before)  # type: ignore[misc]  # a loop's value, bound now
            await synced(link, edge)
        assert offsets(link) == list(range(1, edge.writer.position.offset + 1))
        assert len(link.relay.snapshots) == 1


async def test_what_was_not_acknowledged_is_sent_again_after_a_restart(link: Link) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        link.relay.answers_words = False
        await edge.claim_and_release(1)
        await until(lambda: link.relay.kept == edge.writer.position)
        acked = edge.store.room.acked
        assert acked < edge.writer.position.offset, "kept by the relay, but it did not say so"
    link.relay.answers_words = True
    async with link.edge() as edge:
        await synced(link, edge)
        assert offsets(link) == list(range(1, edge.writer.position.offset + 1))


async def test_a_relay_with_more_than_the_edge_gets_a_new_epoch(link: Link) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        epoch = edge.writer.position.epoch
    assert link.relay.kept is not None
    link.relay.kept = link.relay.kept.model_copy(update={"offset": 1_000})
    async with link.edge() as edge:
        await synced(link, edge)
        assert edge.writer.position.epoch != epoch
        assert link.relay.snapshots[-1].reason == "new_epoch"


async def test_a_machine_that_left_the_settings_leaves_the_relay_too(link: Link) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        assert len(link.relay.snapshots) == 1
    async with link.edge(WASHERS[:1]) as edge:
        await synced(link, edge)
        machines = link.relay.snapshots[-1].snapshot.machines
        assert [one.machine for one in machines] == ["w1"]
    async with link.edge(WASHERS[:1]) as edge:
        await synced(link, edge)
        assert len(link.relay.snapshots) == 2, "once is enough"


async def test_who_waits_reaches_the_relay_as_entries_and_in_a_snapshot(link: Link) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        wish = ResidentCommand(
            id="mute", resident="anna", machine="w1", name=CommandName.MUTE_PICKUP
        )
        assert (await edge.writer.command(wish)).ok
        await synced(link, edge)
        told = link.relay.entries[-1].waiting
        assert told is not None
        assert (told.resident, told.pickup_muted) == ("anna", True)
    async with link.edge(WASHERS[:1]) as edge:
        await synced(link, edge)
        assert link.relay.snapshots[-1].waiting == [told]


async def test_a_remote_command_is_answered_once_for_each_id(link: Link) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        first = await link.relay.command("wish-1")
        assert first.request_id == "wish-1"
        assert first.answer.ok
        again = await link.relay.command("wish-1")
        assert again.answer == first.answer
        refused = await link.relay.command("wish-2", machine="w9")
        assert refused.answer.error is not None
        assert refused.answer.error.code is ErrorCode.UNKNOWN_MACHINE


async def test_an_expired_command_is_refused(link: Link) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        position = edge.writer.position
        late = await link.relay.command("late", expires_in_s=-1)
        assert late.answer.error is not None
        assert late.answer.error.code is ErrorCode.EXPIRED
        assert edge.writer.position == position


async def test_a_clock_that_is_set_expires_no_fresh_command_and_revives_no_old_one(
    link: Link,
) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        ahead = edge.uplink.relay_ahead
        edge.uplink.clock_set(timedelta(hours=1))
        assert edge.uplink.relay_ahead == ahead - timedelta(hours=1)
        # The same command, an hour of the relay's time old after the step back, is not carried out.
        edge.uplink.clock_set(-timedelta(hours=2))
        late = await link.relay.command("revived", expires_in_s=1800)
        assert late.answer.error is not None
        assert late.answer.error.code is ErrorCode.EXPIRED


async def test_notices_told_elsewhere_are_passed_on(link: Link) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        await link.relay.say(Topic.DOWN_TOLD, DownTold(notice_ids=["0" * 32]))
        await until(lambda: edge.told == [DownTold(notice_ids=["0" * 32], gone=[])])
        assert DownTold.model_validate_json(f'{{"notice_ids": ["{"0" * 32}"]}}') == edge.told[0]


async def test_what_was_read_elsewhere_is_passed_on_as_gone(link: Link) -> None:
    told = DownTold(notice_ids=["0" * 32, "1" * 32], gone=["1" * 32])
    async with link.edge() as edge:
        await synced(link, edge)
        await link.relay.say(Topic.DOWN_TOLD, told)
        await until(lambda: edge.told == [told])


async def test_what_staff_announces_comes_down_and_outlives_the_edge(link: Link) -> None:
    now = Clock().now()
    text = AnnouncementText(title="Water off", body="Until noon.")
    shown = ShownAnnouncement(
        id="0" * 32,
        kind=AnnouncementKind.FAULT,
        texts=dict.fromkeys(Lang, text),
        urgent=True,
        since=now,
        until=now + timedelta(hours=1),
    )
    async with link.edge() as edge:
        await link.relay.say(Topic.DOWN_ANNOUNCEMENT, DownAnnouncement(shown=[shown]), retain=True)
        await until(lambda: edge.announced.shown() == [shown])
        notice = announcement_notice(shown, room=ROOM.key, resident="anna", silent=False)
        await link.relay.say(Topic.DOWN_NOTICE, DownNotice(notice=notice))
        seen = NoticeAck(notice_id=notice.id, resident="anna", kind=AckKind.SHOWN, at=now)
        async with asyncio.timeout(20):
            while await edge.writer.ack(seen) is None:  # noqa: ASYNC110 -- until the notice is there
                await asyncio.sleep(0.02)
        await until(lambda: [one.ack for one in link.relay.entries if one.ack] == [seen])
        assert not edge.uplink.skipped
    link.broker.stop()
    async with link.edge() as edge:
        assert edge.announced.shown() == [shown], "without a broker, too"


async def test_a_newer_roster_is_taken_and_an_older_one_refused(link: Link) -> None:
    async with link.edge() as edge:
        await link.relay.say(Topic.DOWN_ROSTER, link.roster(5), retain=True)
        await until(lambda: edge.roster.current is not None and edge.roster.current.version == 5)
        await link.relay.say(Topic.DOWN_ROSTER, link.roster(4))
        await until(lambda: edge.uplink.skipped["roster_refused"] == 1)
        assert edge.roster.current is not None
        assert edge.roster.current.version == 5
        await link.relay.say(Topic.DOWN_ROSTER, link.roster(6))
        await until(lambda: edge.roster.current is not None and edge.roster.current.version == 6)


async def test_a_roster_of_a_foreign_signature_or_room_is_refused(link: Link) -> None:
    foreign = SigningKey.load_or_create(link.folder / "foreign.pem")
    async with link.edge() as edge:
        await synced(link, edge)
        await link.relay.say(Topic.DOWN_ROSTER, link.roster(7, foreign))
        await link.relay.say(Topic.DOWN_ROSTER, link.roster(7, audience="edge:maple-hall/attic"))
        await until(lambda: edge.uplink.skipped["roster_refused"] == 2)
        assert edge.roster.current is None


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (topic_name(ROOM, Topic.DOWN_ACK), b"{", "malformed"),
        (topic_name(ROOM, Topic.DOWN_COMMAND), json.dumps({"id": 1}).encode(), "malformed"),
        (topic_name(ROOM, Topic.DOWN_ROSTER), b"\xff\xfe", "malformed"),
        (topic_name(ROOM, Topic.DOWN_ACK), b" " * (MAX_PAYLOAD_BYTES + 1), "oversized"),
        ("laundry/v1/maple-hall/basement/down/weather", b"{}", "unknown_topic"),
    ],
    ids=["malformed_ack", "malformed_command", "not_utf8", "oversized", "unknown_topic"],
)
async def test_a_bad_message_is_a_counted_skip(
    link: Link, topic: str, payload: bytes, reason: str
) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        assert await link.relay.link.publish(topic, payload)
        await until(lambda: edge.uplink.skipped[reason] == 1)
        # The next good one works.
        assert (await link.relay.command("after")).answer.ok
        assert sum(edge.uplink.skipped.values()) == 1


async def test_a_store_that_fails_stops_nothing(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        real = edge.store.room.commit

        async def full(_work: Commit) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(edge.store.room, "commit", full)
        asking = asyncio.create_task(link.relay.command("wish-1"))
        await until(lambda: edge.uplink.skipped["not_kept"] == 1)
        monkeypatch.setattr(edge.store.room, "commit", real)
        assert not link.relay.answers, "what was not kept is not answered"
        assert (await link.relay.command("wish-2")).answer.ok
        assert (await asking).answer.ok


def said_durable(link: Link) -> tuple[bool, bool]:
    """What the newest hello and the newest snapshot said."""
    return link.relay.hellos[-1].durable, link.relay.snapshots[-1].snapshot.durable


async def test_a_room_that_leaves_its_disk_and_returns_tells_the_relay_each_time(
    link: Link,
) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        durable, snapshots = edge.writer.position.epoch, len(link.relay.snapshots)
        await edge.store.shelf.db.execute("PRAGMA query_only = ON")  # every write: SQLITE_READONLY
        answer = await link.relay.command("wish-1")
        assert (answer.answer.ok, answer.answer.durable) == (True, False)
        await synced(link, edge)
        memory = edge.writer.position.epoch
        assert memory != durable
        assert said_durable(link) == (False, False)
        assert link.relay.snapshots[-1].owners == {"w1": "anna"}

        assert await edge.store.back_to_disk()
        await until(lambda: link.relay.hellos[-1].durable)
        await synced(link, edge)
        assert edge.writer.position.epoch not in {durable, memory}
        assert said_durable(link) == (True, True)
        assert link.relay.snapshots[-1].owners == {"w1": "anna"}
        assert len(link.relay.snapshots) == snapshots + 2
    async with link.edge() as edge:
        await synced(link, edge)
        assert edge.writer.state.machines["w1"].owner == "anna"


async def test_a_hello_tells_our_clock_the_relays_time(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[datetime] = []
    monkeypatch.setattr(Clock, "heard_from_relay", lambda _clock, at: heard.append(at))
    async with link.edge() as edge:
        await synced(link, edge)
        assert abs(heard[0] - datetime.now(UTC)) < timedelta(seconds=30)


async def test_a_restored_backup_that_ran_ahead_begins_an_epoch_of_its_own_and_loses_nothing(
    link: Link,
) -> None:
    path, backup = link.folder / "room.db", link.folder / "backup.db"
    async with link.edge() as edge:
        await synced(link, edge)
        await edge.store.shelf.read("VACUUM INTO ?", (str(backup),))
        await edge.claim_and_release(1)
        await synced(link, edge)
        epoch, before = edge.writer.position.epoch, len(link.relay.entries)
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    backup.rename(path)
    store = await EdgeStore.open(path)
    writer = await RoomWriter.open(ROOM, WASHERS, store, Clock())
    for number in range(6):  # without a relay, past everything that it was ever told
        name = (CommandName.CLAIM, CommandName.RELEASE)[number % 2]
        wish = ResidentCommand(id=f"ahead-{number}", resident="anna", machine="w2", name=name)
        assert (await writer.command(wish)).ok
    assert link.relay.kept is not None
    assert writer.position.offset > link.relay.kept.offset
    await store.close()
    async with link.edge() as edge:
        await synced(link, edge)
        assert edge.writer.position.epoch != epoch, "the old numbers stand for other entries"
        assert link.relay.snapshots[-1].reason == "new_epoch"
        assert len(link.relay.entries) == before, "none was taken for the others"
        await edge.claim_and_release(2)
        await synced(link, edge)
        assert {one.epoch for one in link.relay.entries[before:]} == {edge.writer.position.epoch}


async def test_what_happened_in_memory_and_was_told_nobody_far_away_goes_up_after_the_return(
    link: Link,
) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        link.broker.stop()
        await until(lambda: not edge.uplink.connected)
        wish = ResidentCommand(
            id="start", resident="anna", machine="w1", name=CommandName.START,
            params=CommandParams(minutes=10),
        )  # fmt: skip
        assert (await edge.writer.command(wish)).ok
        order = StaffCommand(id="s1", machine="w1", name=StaffCommandName.OUT_OF_ORDER)
        assert (await edge.writer.command(StaffOrder("ben", order))).ok
        (told,) = await edge.store.room.pending_notices("anna", Clock().now())
        await edge.store.shelf.db.execute("PRAGMA query_only = ON")  # every write: SQLITE_READONLY
        await edge.store.documents.put("anything", "{}")
        assert not edge.store.durable
        assert await edge.store.back_to_disk()
        link.broker.start()
        await synced(link, edge)
        carried = [one.carried.notice for one in link.relay.entries if one.carried]
        assert [one.card() for one in carried] == [told]


@pytest.mark.parametrize("ahead", [timedelta(hours=1), -timedelta(hours=1)])
async def test_an_hour_between_the_clocks_changes_no_order_and_expires_no_command(
    link: Link, ahead: timedelta
) -> None:
    link.relay.ahead = ahead
    async with link.edge() as edge:
        await synced(link, edge)
        assert abs(edge.uplink.relay_ahead - ahead) < timedelta(seconds=5)
        await edge.claim_and_release(1)
        await synced(link, edge)
        assert offsets(link) == list(range(1, edge.writer.position.offset + 1))
        told = timedelta(milliseconds=link.relay.batches[-1].ahead_ms)
        assert abs(told - ahead) < timedelta(seconds=5), "the relay judges in its own time"
        assert (await link.relay.command("fresh")).answer.ok
        late = await link.relay.command("late", machine="w2", expires_in_s=-1)
        assert late.answer.error is not None
        assert late.answer.error.code is ErrorCode.EXPIRED


async def test_a_command_that_the_broker_kept_is_judged_when_the_relays_time_is_known(
    link: Link,
) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
    # Kept for the session of an edge whose clock, after its restart, is an hour behind the relay's.
    link.relay.ahead = timedelta(hours=1)
    asking = asyncio.create_task(link.relay.command("kept", expires_in_s=-1))
    await asyncio.sleep(0.2)
    async with link.edge() as edge:
        answer = (await asking).answer
        assert answer.error is not None, "by its own clock it would have carried it out"
        assert answer.error.code is ErrorCode.EXPIRED
        assert edge.writer.state.machines["w1"].owner is None


async def test_presence_is_said_whole_after_each_greeting_in_the_name_of_its_hello(
    link: Link,
) -> None:
    async with link.edge() as edge:
        await synced(link, edge)
        await until(lambda: bool(link.relay.presence))
        assert link.relay.presence[-1].hello == link.relay.hellos[0].word
        edge.uplink.presence_changed()
        await until(lambda: len(link.relay.presence) == 2)
        assert link.relay.presence[1].seq > link.relay.presence[0].seq
        # The relay connects anew and asks for a hello.
        assert link.relay.kept is not None
        nudge = DownAck(epoch=link.relay.kept.epoch, offset=link.relay.kept.offset, send_from=1)
        await link.relay.say(Topic.DOWN_ACK, nudge)
        await until(lambda: len(link.relay.presence) == 3)
        newest = link.relay.hellos[-1]
        assert link.relay.presence[-1].hello == newest.word
        assert (newest.renewal, newest.nth) == (False, link.relay.hellos[0].nth + 1)
        await until(lambda: link.relay.caught_up == 2)


async def test_an_idle_edge_learns_that_the_relay_was_restored_to_less(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.link.outbox.HELLO_EVERY_S", 0.5)
    async with link.edge() as edge:
        await synced(link, edge)
        kept, run = link.relay.kept, link.relay.kept_run
        await edge.claim_and_release(1)
        await synced(link, edge)
        before = offsets(link)
        link.relay.kept, link.relay.kept_run = kept, run
        await until(lambda: link.relay.kept == edge.writer.position)
        again = [offset for offset in before if kept is not None and offset > kept.offset]
        assert again, "and nothing had to happen"
        assert offsets(link) == [*before, *again]
        assert link.relay.hellos[-1].renewal
