from __future__ import annotations

import stat
from pathlib import Path

from cloud_relay.settings import RelaySettings
from edge.link.enrolment import read_enrolment
from edge.settings import EdgeSettings
from laundryd.daemon.settings import load_settings
from laundryd.demo.town_files import MACHINES, ROOM, TownPlan, set_up


async def test_what_is_set_up_is_what_both_programs_load(tmp_path: Path) -> None:
    plan = TownPlan(
        folder=tmp_path,
        room_broker_port=1801,
        cloud_broker_port=1802,
        relay_port=1803,
        edge_port=1804,
        push_origin="https://127.0.0.1:1805",
        push_ca=tmp_path / "push" / "certificate.pem",
        clock_speed=60.0,
        clock_epoch_s=1_795_000_000.5,
    )
    added = await set_up(plan)

    relay = load_settings(RelaySettings, plan.relay_config)
    edge = load_settings(EdgeSettings, plan.edge_config)
    assert edge.cloud.enrolment is not None
    enrolment = read_enrolment(edge.cloud.enrolment, ROOM)
    assert (relay.http.port, relay.http.public_url) == (1803, plan.relay_url)
    assert relay.broker.port == enrolment.broker.port == 1802
    assert (edge.broker.port, edge.broker.username) == (1801, None)
    assert (edge.http.port, edge.http.public_url) == (1804, plan.edge_url)
    assert [machine.id for machine in edge.machines] == [machine.id for machine in MACHINES]
    for testing in (relay.testing, edge.testing):
        assert (testing.clock_speed, testing.clock_epoch_s) == (60.0, 1_795_000_000.5)
    assert relay.testing.push_origins == {plan.push_origin}
    assert relay.testing.push_ca == plan.push_ca
    assert added.join_url.startswith(f"{plan.relay_url}/#join=")
    for secret in (plan.relay_config, edge.cloud.enrolment, plan.broker_files / "passwords"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
