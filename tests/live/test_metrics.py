from __future__ import annotations

from prometheus_client import REGISTRY

from laundryd.live import metrics
from laundryd.live.settings import LiveSettings
from laundryd.wire import frames
from tests.live.stage import OTHER_ROOM, StartLive, closed, refused


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"server": "test", **labels}) or 0.0


async def test_what_happens_is_counted(start_live: StartLive) -> None:
    before = {
        "refused": value("laundryd_live_refused_total", code="unauthenticated"),
        "closed": value("laundryd_live_closed_total", code="4501"),
        "resumed": value("laundryd_live_resumes_total", outcome="none_named"),
        "batches": value("laundryd_live_frames_total", type="batch"),
        "events": value("laundryd_live_events_total"),
    }
    live = await start_live()
    await refused(live.raw("forged"))
    async with live.raw() as socket:
        await socket.send("{")
        await closed(socket)
    async with live.client() as client:
        await client.welcomed()
        assert value("laundryd_live_connections") == 1
        assert value("laundryd_live_sessions") == 1
        await live.publish(1)
        await client.next_event()
    after = {
        "refused": value("laundryd_live_refused_total", code="unauthenticated"),
        "closed": value("laundryd_live_closed_total", code="4501"),
        "resumed": value("laundryd_live_resumes_total", outcome="none_named"),
        "batches": value("laundryd_live_frames_total", type="batch"),
        "events": value("laundryd_live_events_total"),
    }
    assert after == {name: number + 1 for name, number in before.items()}


def test_every_metric_carries_the_server_and_says_what_it_counts() -> None:
    rows = [getattr(metrics, name) for name in dir(metrics) if name.isupper()]
    assert len(rows) >= 8
    for row in rows:
        assert row._labelnames[0] == "server"
        assert row._documentation.endswith(".")


def test_every_setting_says_its_unit_and_reason() -> None:
    for name, field in LiveSettings.model_fields.items():
        assert field.description, name
        assert len(field.description) > 30, name


async def test_the_way_from_event_to_frame_is_measured_with_the_wait_for_the_batch(
    start_live: StartLive,
) -> None:
    def below(seconds: str) -> float:
        return value("laundryd_live_event_to_frame_seconds_bucket", le=seconds)

    before = {seconds: below(seconds) for seconds in ("0.15", "0.5", "+Inf")}
    live = await start_live(batch_ms=200)
    async with live.client() as client:
        await client.next_frame(frames.Mine)
        await live.publish(1, room=OTHER_ROOM)  # nobody listens: no frame, nothing to measure
        for offset in range(1, 11):
            await live.publish(offset)
        for _ in range(10):
            await client.next_event()
    assert below("+Inf") - before["+Inf"] == 10
    assert below("0.15") - before["0.15"] == 1
    assert below("0.5") - before["0.5"] == 10
