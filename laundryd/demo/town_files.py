"""What an admin would set up for the town: the relay, its broker's files, the room's enrolment, the edge.

It is done by the code behind ``laundryd relay init`` and ``laundryd relay room add``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cloud_relay.announce.writing import Announcements
from cloud_relay.enrol.init import RelayPlan, initialise
from cloud_relay.enrol.mosquitto import Listeners
from cloud_relay.enrol.rooms import AddedRoom, add_room
from cloud_relay.rooms.rooms import Rooms
from cloud_relay.settings import RelaySettings
from cloud_relay.staff.cli import clock_of, opened
from laundryd.daemon.settings import load_settings
from laundryd.demo.plugs import topic_of
from laundryd.wire.announcements import AnnouncementBody, AnnouncementKind, AnnouncementText
from laundryd.wire.ids import RoomRef, Slug
from laundryd.wire.machines import MachineKind
from laundryd.wire.notices import Lang

ROOM: Final = RoomRef(site="maple-hall", room="basement")
ROOM_NAME: Final = "Maple Hall, basement"


@dataclass(frozen=True, slots=True)
class DemoMachine:
    """A machine of the town's room."""

    id: Slug
    kind: MachineKind
    name: str


MACHINES: Final = (
    *(DemoMachine(f"w{n}", MachineKind.WASHER, f"Washer {n}") for n in (1, 2, 3, 4)),
    *(DemoMachine(f"d{n}", MachineKind.DRYER, f"Dryer {n}") for n in (1, 2)),
)


@dataclass(frozen=True, slots=True)
class LocalFcm:
    """Where FCM is, and the table ``fcm`` of the relay's settings."""

    origin: str
    settings: dict[str, object]


@dataclass(frozen=True, slots=True)
class TownPlan:
    """Where everything is. Ports on 127.0.0.1, chosen before; the two clock numbers go to both programs.

    ``push_origin`` is the local push service that the relay may push to; ``push_ca`` the certificate that
    it shows, None: it is plain http. ``fcm``: the local FCM with the settings that name it, None: none.
    """

    folder: Path
    room_broker_port: int
    cloud_broker_port: int
    relay_port: int
    edge_port: int
    push_origin: str
    clock_speed: float
    clock_epoch_s: float
    push_ca: Path | None = None
    machines: tuple[DemoMachine, ...] = MACHINES
    fcm: LocalFcm | None = None

    @property
    def relay_url(self) -> str:
        """The relay's address."""
        return f"http://127.0.0.1:{self.relay_port}"

    @property
    def edge_url(self) -> str:
        """The address of the room's own page."""
        return f"http://127.0.0.1:{self.edge_port}"

    @property
    def relay_config(self) -> Path:
        """The relay's settings file."""
        return self.folder / "relay" / "relay.toml"

    @property
    def edge_config(self) -> Path:
        """The edge's settings file."""
        return self.folder / "edge.toml"

    @property
    def broker_files(self) -> Path:
        """Folder of the cloud broker's password and ACL files."""
        return self.folder / "relay" / "mosquitto"

    @property
    def cloud_broker_lines(self) -> str:
        """Further lines of the cloud broker's configuration: only who has a password comes in."""
        return (
            "allow_anonymous false\n"
            f"password_file {self.broker_files / 'passwords'}\n"
            f"acl_file {self.broker_files / 'acl'}\n"
        )


async def set_up(plan: TownPlan) -> AddedRoom:
    """Make the relay's folder and its broker's files, enrol the room, write the edge's settings.

    Raises:
        SetupError, SettingsError: what ``relay init`` and ``room add`` raise.

    """
    testing: dict[str, object] = {
        "enabled": True,
        "clock_speed": plan.clock_speed,
        "clock_epoch_s": plan.clock_epoch_s,
    }
    done = initialise(
        RelayPlan(
            data_dir=plan.folder / "relay",
            config=plan.relay_config,
            public_url=plan.relay_url,
            vapid_subject="mailto:demo@example.org",
            listeners=Listeners(plan.cloud_broker_port),
            edge_host="127.0.0.1",
            tables=_relay_tables(plan, testing),
        )
    )
    added = await add_room(done.settings, ROOM, ROOM_NAME)
    plan.edge_config.write_text(_edge_settings(plan, added.enrolment_file, testing), "utf-8")
    return added


ANNOUNCED: Final = {
    Lang.EN: AnnouncementText(title="Water off", body="On Tuesday from 9 to 12 no machine runs."),
    Lang.KO: AnnouncementText(
        title="단수 안내", body="화요일 9시부터 12시까지 기기를 쓸 수 없어요."
    ),
}


async def announce(plan: TownPlan) -> None:
    """Announce something to everybody as ``laundryd relay announce`` does, beside the relay that runs."""
    settings = load_settings(RelaySettings, plan.relay_config)
    async with opened(settings) as db:
        clock = clock_of(settings)
        rooms = Rooms(db, clock)
        await rooms.load()
        body = AnnouncementBody(kind=AnnouncementKind.MAINTENANCE, texts=ANNOUNCED)
        await Announcements(db, clock, rooms).write("Staff of the demo", body)


def _relay_tables(plan: TownPlan, testing: dict[str, object]) -> dict[str, dict[str, object]]:
    tables: dict[str, dict[str, object]] = {
        "http": {"port": plan.relay_port},
        "testing": {**testing, "push_origins": [plan.push_origin]},
    }
    if plan.push_ca is not None:
        tables["testing"]["push_ca"] = str(plan.push_ca)
    if plan.fcm is not None:
        tables["fcm"] = plan.fcm.settings
        tables["testing"]["fcm_origin"] = plan.fcm.origin
    return tables


def _edge_settings(plan: TownPlan, enrolment: Path, testing: dict[str, object]) -> str:
    tables: list[tuple[str, dict[str, object]]] = [
        ("[broker]", {"port": plan.room_broker_port}),
        ("[http]", {"port": plan.edge_port, "public_url": plan.edge_url}),
        ("[cloud]", {"enrolment": str(enrolment)}),
        ("[testing]", testing),
    ]
    for machine in plan.machines:
        tables.append(
            ("[[machines]]", {"id": machine.id, "kind": machine.kind, "name": machine.name})
        )
        tables.append(("[machines.plug]", {"source": "tasmota", "topic": topic_of(machine.id)}))
    head: dict[str, object] = {
        "site": ROOM.site,
        "room": ROOM.room,
        "name": ROOM_NAME,
        "data_dir": str(plan.folder / "edge"),
    }
    return "\n".join([_keys(head), *(f"\n{title}\n{_keys(keys)}" for title, keys in tables)]) + "\n"


def _keys(table: dict[str, object]) -> str:
    # A JSON string, number, boolean or list of these is a TOML one as it stands.
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in table.items())
