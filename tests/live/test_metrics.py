from __future__ import annotations

from prometheus_client import REGISTRY

from laundryd.live import metrics
from laundryd.live.settings import LiveSettings
from tests.live.stage import StartLive, closed, refused


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
