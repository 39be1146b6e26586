"""The real edge on a real broker: plugs in, dashboards out, and what a restart must not change."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.local.codes import make_join_code
from edge.sources.payload import MAX_PAYLOAD_BYTES
from laundryd.demo.broker import Mosquitto
from laundryd.wire.errors import ErrorCode
from laundryd.wire.phases import Cause, Phase, Sensor
from laundryd.wire.topics import Topic, topic_name
from tests.edge.room_watch import RoomWatch, plug
from tests.edge.running import ROOM, EdgeProcess

SPEED = 100.0
MACHINES_URL = f"/api/v1/rooms/{ROOM.key}/machines"


@pytest.fixture
def edge(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[EdgeProcess]:
    # Room time from a common moment, so that a restart finds it where it would be.
    process = EdgeProcess(
        tmp_path / "edge",
        mosquitto.settings,
        f"[testing]\nenabled = true\nclock_speed = {SPEED}\nclock_epoch_s = {time.time()}\n"
        "[timings]\nhold_s = 86400\n",
    )
    process.start()
    yield process
    assert process.stop() == 0, process.log
    assert "Traceback" not in process.log


async def test_a_wash_seen_by_its_plug_is_told_to_dashboards(
    edge: EdgeProcess, mosquitto: Mosquitto
) -> None:
    async with RoomWatch.on(mosquitto.settings) as watch, plug(watch) as power_w:
        await watch.until(lambda: len(watch.states) == 3 and "online" in watch.availability)
        await watch.until(lambda: watch.power_w("w1") == 1.0)
        power_w[0] = 200.0
        await watch.until(lambda: watch.phase("w1") is Phase.IN_USE)
        await watch.until(lambda: watch.power_w("w1") == 200.0)
        power_w[0] = 1.0
        await watch.until(lambda: watch.phase("w1") is Phase.FINISHED)
        causes = [one for one in watch.causes("w1") if one is not Cause.SENSOR_CHANGED]
        assert causes == [Cause.CYCLE_STARTED, Cause.FINISHED]
        for kind in ("cycle_started", "cycle_finished"):
            assert edge.metric("cycle_signals_total", kind=kind) == 1
        assert edge.metric("sensors_silent") == 0
        state = watch.states["w1"]
        assert state.started_at is not None
        assert state.ended_at is not None
        assert state.started_at < state.ended_at
    async with RoomWatch.on(mosquitto.settings) as late:
        await late.until(lambda: late.states.get("w1") is not None)
        assert topic_name(ROOM, Topic.MACHINE_STATE, "w1") in late.retained
        assert topic_name(ROOM, Topic.AVAILABILITY) in late.retained
        assert not late.events, "events are news, not state"
        flat = json.loads(late.states["w1"].model_dump_json())
        assert all(not isinstance(value, (dict, list)) for value in flat.values())


async def test_leaving_and_dying_are_both_told(tmp_path: Path, mosquitto: Mosquitto) -> None:
    edge = EdgeProcess(tmp_path / "edge", mosquitto.settings)
    async with RoomWatch.on(mosquitto.settings) as watch:
        for end in (edge.stop, edge.kill):
            await asyncio.to_thread(edge.start)
            await watch.until(lambda: watch.availability[-1:] == ["online"])
            await watch.until(lambda: "cmnd/washer-1/Status" in watch.asked)
            await asyncio.to_thread(end)
            await watch.until(lambda: watch.availability[-1:] == ["offline"])


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("tele/washer-1/SENSOR", b'{"ENERGY": ', "malformed"),
        ("tele/washer-1/SENSOR", b"\xff\x00", "malformed"),
        ("tele/washer-1/SENSOR", b"[" * 10_000, "malformed"),
        ("tele/washer-1/SENSOR", b"x" * (MAX_PAYLOAD_BYTES + 1), "oversized"),
        ("tele/washer-1/SENSOR", b'{"ENERGY": {"Power": 1e9}}', "implausible"),
        ("tele/washer-1/SENSOR", b'{"Time": "now"}', "not_measured"),
    ],
    ids=["malformed", "not_utf8", "nested", "oversized", "implausible", "not_measured"],
)
async def test_a_bad_plug_message_is_a_counted_skip(
    edge: EdgeProcess, mosquitto: Mosquitto, topic: str, payload: bytes, reason: str
) -> None:
    async with RoomWatch.on(mosquitto.settings) as watch:
        await watch.until(lambda: "online" in watch.availability)
        await watch.say(topic, payload)
        await asyncio.to_thread(
            edge.metric_becomes, 1, "plug_messages_skipped_total", reason=reason
        )
        async with plug(watch) as power_w:  # and the next good ones work
            power_w[0] = 200.0
            await watch.until(lambda: watch.phase("w1") is Phase.IN_USE)


async def test_a_retained_measurement_is_not_taken_for_one_of_now(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    edge = EdgeProcess(tmp_path / "edge", mosquitto.settings)
    async with RoomWatch.on(mosquitto.settings) as watch:
        await watch.say("tele/washer-1/SENSOR", b'{"ENERGY": {"Power": 9}}', retain=True)
        edge.start()
        await asyncio.to_thread(
            edge.metric_becomes, 1, "plug_messages_skipped_total", reason="retained"
        )
        await asyncio.to_thread(edge.stop)
        assert watch.power_w("w1") is None


async def test_a_plugs_will_makes_it_silent_and_its_word_brings_it_back(
    edge: EdgeProcess, mosquitto: Mosquitto
) -> None:
    del edge
    async with RoomWatch.on(mosquitto.settings) as watch:
        await watch.until(lambda: "online" in watch.availability)
        await watch.say("tele/washer-1/LWT", b"Offline", retain=True)
        await watch.until(lambda: watch.sensor("w1") is Sensor.SILENT)
        async with plug(watch):
            await watch.until(lambda: watch.sensor("w1") is Sensor.OK)


async def test_staff_put_a_machine_out_of_order_and_back(
    edge: EdgeProcess, mosquitto: Mosquitto
) -> None:
    del edge
    async with RoomWatch.on(mosquitto.settings) as watch:
        await watch.until(lambda: len(watch.states) == 3)
        await watch.order("out_of_order")
        await watch.until(lambda: watch.phase("w2") is Phase.OUT_OF_ORDER)
        await watch.order("repaired")
        await watch.until(lambda: watch.phase("w2") is Phase.FREE)


async def test_a_staff_command_is_answered_and_said_again_is_not_carried_out_again(
    edge: EdgeProcess, mosquitto: Mosquitto
) -> None:
    async with RoomWatch.on(mosquitto.settings) as watch:
        await watch.until(lambda: len(watch.states) == 3)
        await watch.order("out_of_order", command_id="broken")
        await watch.until(lambda: len(watch.answers) == 1)
        await watch.order("repaired")
        await watch.until(lambda: len(watch.answers) == 2)
        await asyncio.to_thread(edge.kill)
        await asyncio.to_thread(edge.start)
        await watch.until(lambda: watch.availability[-1] == "online")
        await watch.order("out_of_order", command_id="broken")
        await watch.until(lambda: len(watch.answers) == 3)
        first, _, again = watch.answers
        assert again == first
        assert (first.id, first.ok, first.durable) == ("broken", True, True)
        assert watch.phase("w2") is Phase.FREE
        await watch.order("repaired", command_id="twice")
        await watch.until(lambda: len(watch.answers) == 4)
        refused = watch.answers[-1].error
        assert refused is not None
        assert refused.code is ErrorCode.ILLEGAL_MOVE
        await watch.say(topic_name(ROOM, Topic.STAFF_COMMAND, "kim"), b"{")
        await watch.until(lambda: len(watch.answers) == 5)
        assert watch.answers[-1].id == "unreadable"


async def test_staff_collect_what_was_left(edge: EdgeProcess, mosquitto: Mosquitto) -> None:
    code = await make_join_code(edge.data_dir)
    async with RoomWatch.on(mosquitto.settings) as watch:
        with edge.page() as page:
            assert page.post("/api/v1/join", json={"code": code}).status_code == 200
            said = page.post(f"{MACHINES_URL}/w2/start", json={"id": "s", "minutes": 1})
            assert said.status_code == 200, said.text
        await watch.until(lambda: watch.phase("w2") is Phase.FINISHED)
        await watch.order("collected")
        await watch.until(lambda: watch.phase("w2") is Phase.FREE)


async def test_staff_end_what_its_plug_sees_run_for_ever(
    edge: EdgeProcess, mosquitto: Mosquitto
) -> None:
    del edge
    async with RoomWatch.on(mosquitto.settings) as watch, plug(watch) as power_w:
        await watch.until(lambda: watch.power_w("w1") == 1.0)
        power_w[0] = 40.0
        await watch.until(lambda: watch.phase("w1") is Phase.IN_USE)
        await watch.order("ended", machine="w1")
        await watch.until(lambda: watch.phase("w1") is Phase.FINISHED)
        await watch.order("collected", machine="w1")
        await watch.until(lambda: watch.phase("w1") is Phase.FREE)
        # What draws on is no load; what draws more is the next one.
        power_w[0] = 200.0
        await watch.until(lambda: watch.phase("w1") is Phase.IN_USE)
        causes = [one for one in watch.causes("w1") if one is not Cause.SENSOR_CHANGED]
        assert causes == [
            Cause.CYCLE_STARTED,
            Cause.FINISHED,
            Cause.COLLECTED,
            Cause.CYCLE_STARTED,
        ]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"out_of_order", "malformed"),
        (b'{"machine": "w2", "name": "explode"}', "malformed"),
        (b'{"machine": "W2!", "name": "repaired"}', "malformed"),
        (b'{"machine": "w9", "name": "out_of_order"}', "refused"),
        (b'{"machine": "w2", "name": "repaired"}', "refused"),
        (b" " * 1_025, "oversized"),
    ],
    ids=["not_json", "unknown_word", "no_slug", "unknown_machine", "wrong_phase", "oversized"],
)
async def test_a_bad_staff_command_is_a_counted_skip(
    edge: EdgeProcess, mosquitto: Mosquitto, payload: bytes, reason: str
) -> None:
    async with RoomWatch.on(mosquitto.settings) as watch:
        await watch.until(lambda: len(watch.states) == 3)
        await watch.say(topic_name(ROOM, Topic.STAFF_COMMAND, "kim"), payload)
        await asyncio.to_thread(
            edge.metric_becomes, 1, "staff_commands_skipped_total", reason=reason
        )
        await watch.order("out_of_order")
        await watch.until(lambda: watch.phase("w2") is Phase.OUT_OF_ORDER)


async def test_a_retained_staff_command_is_old_and_not_carried_out(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    edge = EdgeProcess(tmp_path / "edge", mosquitto.settings)
    async with RoomWatch.on(mosquitto.settings) as watch:
        await watch.order("out_of_order", retain=True)
        edge.start()
        await asyncio.to_thread(
            edge.metric_becomes, 1, "staff_commands_skipped_total", reason="retained"
        )
        await watch.until(lambda: "w2" in watch.states)
        await asyncio.to_thread(edge.stop)
        assert watch.phase("w2") is Phase.FREE


async def test_a_broker_that_dies_and_comes_back_is_told_everything_again(
    edge: EdgeProcess, mosquitto: Mosquitto
) -> None:
    edge.metric_becomes(1, "room_broker_connected")
    mosquitto.kill()
    await asyncio.to_thread(edge.metric_becomes, 0, "room_broker_connected")
    with edge.page() as page:
        assert page.get("/readyz").status_code == 200, "the page works without it"
    for file in (mosquitto._folder).glob("*.db"):
        file.unlink()  # and it has forgotten everything
    mosquitto.start()
    async with RoomWatch.on(mosquitto.settings) as watch:
        await watch.until(lambda: len(watch.states) == 3 and "online" in watch.availability)


async def test_a_kill_in_mid_cycle_changes_nothing_that_residents_see(
    edge: EdgeProcess, mosquitto: Mosquitto
) -> None:
    code = await make_join_code(edge.data_dir)
    async with RoomWatch.on(mosquitto.settings) as watch, plug(watch) as power_w:
        with edge.page() as page:
            assert page.post("/api/v1/join", json={"code": code}).status_code == 200
            said = page.post(f"{MACHINES_URL}/d1/claim", json={"id": "dryer"})
            assert said.status_code == 200, said.text
            token = page.cookies["laundryd_edge"]
            before = page.get(f"/api/v1/rooms/{ROOM.key}").json()
        power_w[0] = 200.0
        await watch.until(lambda: watch.phase("w1") is Phase.IN_USE)
        started_at = watch.states["w1"].started_at

        await asyncio.to_thread(edge.kill)
        await watch.until(lambda: watch.availability[-1] == "offline")
        await asyncio.to_thread(edge.start)
        await watch.until(lambda: watch.availability[-1] == "online")

        with edge.page(token) as page:
            after = page.get(f"/api/v1/rooms/{ROOM.key}").json()
            mine = page.post(f"{MACHINES_URL}/d1/arrive", json={"id": "there"})
        assert after["position"]["epoch"] == before["position"]["epoch"]
        assert after["position"]["offset"] >= before["position"]["offset"]
        assert after["machines"][2]["phase"] == "claimed"
        assert mine.status_code == 200, "still whose it was"
        assert watch.phase("w1") is Phase.IN_USE
        assert watch.states["w1"].started_at == started_at

        power_w[0] = 1.0
        await watch.until(lambda: watch.phase("w1") is Phase.FINISHED)
        await asyncio.to_thread(edge.kill)
        await asyncio.to_thread(edge.start)
        await watch.until(lambda: watch.availability[-1] == "online")
        # Long enough, in room time, for an end to be told a second time.
        await asyncio.sleep(600 / SPEED)
        causes = [one for one in watch.causes("w1") if one is not Cause.SENSOR_CHANGED]
        assert causes == [Cause.CYCLE_STARTED, Cause.FINISHED]
        assert watch.states["w1"].ended_at is not None


async def test_stopping_finishes_what_has_begun(edge: EdgeProcess) -> None:
    code = await make_join_code(edge.data_dir)
    with edge.page() as page:
        assert page.post("/api/v1/join", json={"code": code}).status_code == 200
        token = page.cookies["laundryd_edge"]
    body = b'{"id": "last"}'
    request = (
        f"POST {MACHINES_URL}/w2/claim HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\n"
        f"Origin: {edge.origin}\r\nCookie: laundryd_edge={token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", edge.port)) as gone:
        gone.sendall(request.encode() + body)
    # The page is gone before its answer, and so is the edge.
    assert edge.stop() == 0, edge.log
    assert "Traceback" not in edge.log
    assert "closed database" not in edge.log
    edge.start()
    with edge.page(token) as page:
        again = page.post(f"{MACHINES_URL}/w2/claim", json={"id": "last"})
        assert again.status_code == 200, again.text
        room = page.get(f"/api/v1/rooms/{ROOM.key}").json()
    assert room["machines"][1]["phase"] == "claimed"


async def test_a_machine_that_the_settings_no_longer_name_leaves_the_dashboards(
    edge: EdgeProcess, mosquitto: Mosquitto
) -> None:
    async with RoomWatch.on(mosquitto.settings) as watch:
        await watch.until(lambda: len(watch.states) == 3)
        assert edge.stop() == 0
        edge.machines = edge.machines.partition('[[machines]]\nid = "d1"')[0]
        await asyncio.to_thread(edge.start)
        await watch.until(lambda: "d1" not in watch.states)
    async with RoomWatch.on(mosquitto.settings) as late:
        await late.say("cmnd/after-what-was-kept", b"")
        await late.until(lambda: bool(late.asked))
        assert set(late.states) == {"w1", "w2"}
