from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from cloud_relay.app import Relay
from cloud_relay.enrol.init import RelayPlan, initialise
from cloud_relay.enrol.mosquitto import Listeners
from cloud_relay.enrol.rooms import add_room
from cloud_relay.migrations import MIGRATIONS
from cloud_relay.settings import RelaySettings
from laundryd.daemon.sqlite import open_database, transaction
from laundryd.demo.fcm_service import FcmService
from laundryd.wire.ids import Position, RoomRef
from laundryd.wire.machines import MachineKind, MachineView, RoomSnapshot
from laundryd.wire.phases import Phase, Sensor
from laundryd.wire.uplink import UpSnapshot

ORIGIN = "http://127.0.0.1:8080"


@dataclass
class Api:
    """The relay's real web side, without a broker: every room's edge is offline."""

    relay: Relay
    settings: RelaySettings
    codes: dict[str, str]
    web: httpx.ASGITransport

    def browser(self, **headers: str) -> httpx.AsyncClient:
        """A page of ours, with its own cookies."""
        return httpx.AsyncClient(
            transport=self.web, base_url=ORIGIN, headers={"Origin": ORIGIN, **headers}
        )

    def program(self, token: str) -> httpx.AsyncClient:
        """A client without Origin and cookies."""
        return httpx.AsyncClient(
            transport=self.web, base_url=ORIGIN, headers={"Authorization": f"Bearer {token}"}
        )


def whole_room(key: str, *, epoch: str = "e1") -> UpSnapshot:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    return UpSnapshot(
        snapshot=RoomSnapshot(
            room=key,
            name="A laundry room",
            position=Position(epoch=epoch, offset=1),
            at=at,
            machines=[
                MachineView(
                    machine="w1",
                    kind=MachineKind.WASHER,
                    name="Washer 1",
                    phase=Phase.FREE,
                    since=at,
                    sensor=Sensor.OK,
                )
            ],
        ),
        owners={},
        reason="new_epoch",
    )


@asynccontextmanager
async def opened(
    tmp_path: Path, tables: dict[str, dict[str, object]] | None = None
) -> AsyncIterator[Api]:
    """Open a relay's web side; ``tables``: further settings."""
    done = initialise(
        RelayPlan(
            data_dir=tmp_path / "relay",
            config=tmp_path / "relay" / "relay.toml",
            public_url=ORIGIN,
            vapid_subject="mailto:staff@example.org",
            listeners=Listeners(1883),
            edge_host="127.0.0.1",
            tables=tables or {},
        )
    )
    codes = {}
    for name in ("north", "south"):
        room = RoomRef(site="maple-hall", room=name)
        codes[room.key] = (await add_room(done.settings, room, f"Room {name}", cap=3)).join_code
    async with AsyncExitStack() as stack:
        relay = Relay(done.settings)
        db = await open_database(done.settings.database, MIGRATIONS)
        stack.push_async_callback(db.close)
        await relay._open(db, stack)
        for key in codes:
            async with transaction(db) as held:
                change = await relay.rooms.write_snapshot(held, whole_room(key))
            assert change is not None
            relay.rooms.commit(change)
        yield Api(relay, done.settings, codes, httpx.ASGITransport(app=relay._web))


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with opened(tmp_path) as found:
        yield found


@pytest.fixture
async def fcm() -> AsyncIterator[FcmService]:
    async with FcmService() as service:
        yield service


@pytest.fixture
async def fcm_api(tmp_path: Path, fcm: FcmService) -> AsyncIterator[Api]:
    """The same of a relay that pushes to Android by ``fcm``."""
    testing: dict[str, object] = {"enabled": True, "fcm_origin": fcm.origin}
    async with opened(tmp_path, {"fcm": fcm.settings(tmp_path), "testing": testing}) as found:
        yield found


@pytest.fixture
async def joined(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    async with api.browser() as browser:
        answer = await browser.post("/api/v1/join", json={"code": api.codes["maple-hall.north"]})
        assert answer.status_code == 200, answer.text
        yield browser


@pytest.fixture
def token_of_new_resident(api: Api) -> Callable[[], Awaitable[str]]:
    async def join() -> str:
        async with api.browser(Accept="application/json; token=1") as browser:
            answer = await browser.post(
                "/api/v1/join", json={"code": api.codes["maple-hall.north"]}
            )
            return str(answer.json()["token"])

    return join
