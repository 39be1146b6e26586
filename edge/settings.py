"""The edge's settings: one typed table, from which ``docs/settings-edge.md`` is made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import SettingsConfigDict

from edge.room.timings import RoomTimings
from edge.sources.source import EnergyUnit, PlugSpec, PowerUnit
from edge.sources.table import build_source
from laundryd.daemon.logs import LogLevel
from laundryd.daemon.mqtt import BrokerSettings
from laundryd.daemon.settings import ProgramSettings, walk
from laundryd.daemon.settings_page import page, write_page
from laundryd.live.settings import LiveSettings
from laundryd.wire.commands import MAX_PROGRAMME_MIN
from laundryd.wire.ids import RoomRef, Slug
from laundryd.wire.machines import DisplayName, MachineKind, Programme


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Topic = Annotated[str, Field(pattern=r"^[^+#/\s]([^+#\x00-\x1f\x7f]*[^+#\s])?$", max_length=100)]
_Part = Annotated[str, Field(pattern=r"^[^+#/\s]([^+#\x00-\x1f\x7f]*[^+#/\s])?$", max_length=100)]


class PlugSettings(_Table):
    """One machine's smart plug."""

    source: Literal[
        "tasmota", "shelly_gen1", "shelly_gen2", "zigbee2mqtt", "esphome", "generic"
    ] = Field(
        "tasmota",
        description="Which firmware the plug runs, which decides topics and payloads: tasmota, "
        "shelly_gen1, shelly_gen2 (and later), zigbee2mqtt, esphome, or generic for any number on "
        "any topic.",
    )
    topic: _Topic = Field(
        description="The plug's own topic on the room's broker, as set in its firmware. Tasmota: "
        "Topic. Shelly Gen1: the id after shellies/. Shelly Gen2: the MQTT prefix. Zigbee2MQTT: base "
        "topic and friendly name, as zigbee2mqtt/washer-1. ESPHome: topic_prefix. Generic: the whole "
        "topic of the power."
    )
    channel: Annotated[int, Field(ge=1, le=8)] | None = Field(
        None,
        description="Which channel, counted from 1, of a plug that measures several machines. None: "
        "all channels of a Tasmota plug feed this machine, as three phases do, and all phases of a "
        "Shelly Gen2 meter of three (em:0), whose channels are its phases; of any other Shelly the "
        "first; of a Zigbee plug its only one. Not for ESPHome and generic.",
    )
    base_topic: _Part | None = Field(
        None,
        description="Zigbee2MQTT alone: its mqtt.base_topic if that holds a slash; none means what "
        "stands before the first slash of topic.",
    )
    power_sensor: _Part | None = Field(
        None,
        description="ESPHome alone, where it must be given: the id of the power sensor, as in "
        "PREFIX/sensor/ID/state.",
    )
    energy_sensor: _Part | None = Field(
        None,
        description="ESPHome alone: the id of the sensor that counts energy; none means that energy "
        "is not measured.",
    )
    power_path: _Part | None = Field(
        None,
        description="Generic alone: where the power stands in the JSON of topic, names and list "
        "positions (from 0) with dots between, as meters.0.power; none means that the payload is the "
        "number.",
    )
    energy_topic: _Topic | None = Field(
        None,
        description="Generic alone: topic of the energy counter if it has one of its own; none means "
        "topic.",
    )
    energy_path: _Part | None = Field(
        None,
        description="Generic alone: where the energy counter stands in its JSON, written like "
        "power_path; without it and energy_topic energy is not measured.",
    )
    power_unit: PowerUnit | None = Field(
        None, description="ESPHome and generic: unit of the power, W, kW or mW; none means W."
    )
    energy_unit: EnergyUnit | None = Field(
        None,
        description="ESPHome and generic: unit of the energy counter, Wh or kWh; it must be given "
        "when there is one, because both are usual.",
    )

    @property
    def spec(self) -> PlugSpec:
        """The plug as the sources know it."""
        return PlugSpec(**self.model_dump())

    @property
    def part(self) -> tuple[str, int | str | None]:
        """What tells this machine from others on the same topic, the setting's name and value."""
        match self.source:
            case "esphome":
                return "power_sensor", self.power_sensor
            case "generic":
                return "power_path", self.power_path
            case _:
                return "channel", self.channel


class MachineSettings(_Table):
    """One machine of the room."""

    id: Slug = Field(description="The machine's slug, unique in the room; it never changes.")
    kind: MachineKind = Field(description="washer, dryer or washer_dryer: how its power is read.")
    name: DisplayName = Field(
        description="What residents read on the machine, up to 40 characters."
    )
    plug: PlugSettings | None = Field(
        None, description="The smart plug that meters it; without one residents and timers decide."
    )

    @model_validator(mode="after")
    def _plug_makes_sense(self) -> Self:
        if self.plug is not None:
            build_source(self.id, self.plug.spec)
        return self

    @property
    def plug_topics(self) -> tuple[str, ...]:
        """The topics on which this machine's plug alone speaks; none without one."""
        if self.plug is None:
            return ()
        topics = build_source(self.id, self.plug.spec).filters()
        # What follows may be of others too: a bridge's presence, the counter of a common meter.
        return topics[:1] if self.plug.source in {"zigbee2mqtt", "generic"} else topics


class ProgrammeSettings(_Table):
    """One programme of the room's machines."""

    id: Slug = Field(description="The programme's slug, unique for its kind; it never changes.")
    kind: MachineKind = Field(description="washer, dryer or washer_dryer: which machines have it.")
    name: DisplayName = Field(
        description="What residents read when they start, as on the machine's dial."
    )
    minutes: Annotated[int, Field(ge=1, le=MAX_PROGRAMME_MIN)] = Field(
        description="How long it takes, minutes, up to six hours."
    )


class HttpSettings(_Table):
    """The room's own page."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on; 0.0.0.0 serves the whole local network."
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8080, description="TCP port of the page; 0 lets the system choose, for tests."
    )
    hosts: Annotated[list[str], Field(min_length=1)] = Field(
        ["127.0.0.1", "localhost"],
        description="Names and addresses the page is reached by; others are refused (DNS rebinding).",
    )
    public_url: str | None = Field(
        None, description="The page's address as residents open it; the relay's app links to it."
    )
    certfile: Path | None = Field(
        None, description="TLS certificate; with it the room's page may be installed and may push."
    )
    keyfile: Path | None = Field(
        None, description="The certificate's private key, readable by us only."
    )

    trusted_proxies: frozenset[IPv4Network | IPv6Network] = Field(
        default=frozenset(),
        description="Addresses or networks of reverse proxies whose X-Forwarded-For is believed, so "
        "that the limit on wrong codes counts real clients. Anybody else could write that header.",
    )

    @model_validator(mode="after")
    def _certificate_and_key(self) -> Self:
        if (self.certfile is None) != (self.keyfile is None):
            raise ValueError("certfile and keyfile go together: give both or none")
        for name, path in (("certfile", self.certfile), ("keyfile", self.keyfile)):
            if path is not None and not os.access(path, os.R_OK):
                raise ValueError(f"{name}: a file that can be read; {path} cannot")
        return self


class StoreSettings(_Table):
    """The room's database."""

    max_mb: Annotated[int, Field(ge=8, le=4096)] = Field(
        64,
        description="MiB that the database may grow to, its log of 4 MiB not counted; past it the oldest "
        "journal entries and answers go. Twice what a room of 20 machines fills: an SD card stays usable.",
    )

    @property
    def max_bytes(self) -> int:
        """``max_mb`` in bytes."""
        return self.max_mb * 1024 * 1024


class CloudSettings(_Table):
    """The relay, from the enrolment file that ``laundryd relay room add`` wrote."""

    enrolment: Path | None = Field(
        None, description="The room's enrolment file; without one the room works by itself."
    )


class TestingSettings(_Table):
    """For the demo and the tests alone; each is refused unless ``enabled`` is set too."""

    enabled: bool = Field(False, description="Says twice that this is no real laundry room.")
    clock_speed: Annotated[float, Field(gt=0, le=10_000)] = Field(
        1.0, description="How many room seconds pass in a real second; real rooms have 1."
    )
    clock_epoch_s: float | None = Field(
        None, description="Unix seconds at which room time and real time agreed; none means start."
    )

    @model_validator(mode="after")
    def _said_twice(self) -> Self:
        if not self.enabled and (self.clock_speed != 1.0 or self.clock_epoch_s is not None):
            raise ValueError("clock_speed and clock_epoch_s need testing.enabled = true")
        return self


class EdgeSettings(ProgramSettings):
    """Everything the edge can be told."""

    model_config = SettingsConfigDict(env_prefix="LAUNDRYD_EDGE_")

    site: Slug = Field(description="The site's slug, the same for all rooms of a house.")
    room: Slug = Field(description="The room's slug, unique in its site.")
    name: DisplayName = Field("Laundry room", description="What residents read above the machines.")
    data_dir: Path = Field(
        Path("/var/lib/laundryd-edge"), description="Where the room's database and keys are kept."
    )
    log_level: LogLevel = Field("info", description="Least severe log lines that are written.")
    log_json: bool = Field(False, description="Write log lines as JSON, for a log collector.")
    machines: Annotated[list[MachineSettings], Field(min_length=1, max_length=200)] = Field(
        description="The machines in the order in which the page shows them; 200 at most."
    )
    programmes: Annotated[list[ProgrammeSettings], Field(max_length=50)] = Field(
        [],
        description="The programmes that residents may choose from when they start a machine, in the "
        "order in which the page shows them; 50 at most. Without one they give minutes.",
    )
    broker: BrokerSettings = Field(
        BrokerSettings(), description="The room's broker, where plugs and dashboards are."
    )
    http: HttpSettings = Field(HttpSettings(), description="The room's own page.")
    live: LiveSettings = Field(
        LiveSettings(), description="The session server behind the page: its limits and timers."
    )
    store: StoreSettings = Field(StoreSettings(), description="The room's database.")
    cloud: CloudSettings = Field(CloudSettings(), description="The relay.")
    timings: RoomTimings = Field(RoomTimings(), description="How long things last in the room.")
    testing: TestingSettings = Field(TestingSettings(), description="For the demo and the tests.")

    @model_validator(mode="after")
    def _machines_differ(self) -> Self:
        seen: set[str] = set()
        for machine in self.machines:
            if machine.id in seen:
                raise ValueError(f"two machines are called {machine.id}: give each its own id")
            seen.add(machine.id)
        return self

    @model_validator(mode="after")
    def _programmes_differ(self) -> Self:
        seen: set[tuple[MachineKind, str]] = set()
        for one in self.programmes:
            if (one.kind, one.id) in seen:
                raise ValueError(
                    f"two programmes of a {one.kind} are called {one.id}: give each its own id"
                )
            seen.add((one.kind, one.id))
        return self

    @model_validator(mode="after")
    def _channels_differ(self) -> Self:
        by_topic: dict[str, list[PlugSettings]] = {}
        for machine in self.machines:
            # By what is listened to: one plug's topic can be written in several ways.
            for topic in machine.plug_topics:
                if machine.plug is not None:
                    by_topic.setdefault(topic, []).append(machine.plug)
        for plugs in by_topic.values():
            parts = [plug.part for plug in plugs]
            is_unclear = len(set(parts)) < len(parts) or any(value is None for _, value in parts)
            if len(plugs) > 1 and is_unclear:
                names = " or ".join(sorted({name for name, _ in parts}))
                raise ValueError(
                    f"{len(plugs)} machines share the plug {plugs[0].topic}: give each its own {names}"
                )
        return self

    @property
    def hosts(self) -> frozenset[str]:
        """Every name and address that the page is reached by, lower case."""
        return frozenset(host.lower() for host in self.http.hosts) | self.live.allowed_hosts

    @property
    def listed_programmes(self) -> list[Programme]:
        """The programmes as everybody may see them."""
        return [
            Programme(programme=one.id, kind=one.kind, name=one.name, minutes=one.minutes)
            for one in self.programmes
        ]

    @property
    def ref(self) -> RoomRef:
        """The room's two slugs."""
        return RoomRef(site=self.site, room=self.room)


PAGE: Final = Path(__file__).parents[1] / "docs" / "settings-edge.md"
COMMAND: Final = "python -m edge.settings"


def settings_page() -> str:
    """Write ``docs/settings-edge.md``: the table of settings, and those of one machine and programme."""
    whole = page(EdgeSettings, "the edge", COMMAND)
    machines = _table_lines(
        "machines",
        'In TOML a plug is `plug = { source = "tasmota", topic = "washer-1" }`.',
        MachineSettings,
    )
    programmes = _table_lines(
        "programmes",
        "A start with a programme of another kind of machine is refused as `unknown_programme`.",
        ProgrammeSettings,
    )
    return "\n".join([whole.rstrip("\n"), "", *machines, "", *programmes, ""])


def _table_lines(name: str, note: str, table: type[BaseModel]) -> Iterator[str]:
    yield f"## [[{name}]], one table each"
    yield ""
    yield note
    yield ""
    yield "| setting | default | what it is |"
    yield "|---|---|---|"
    for setting, info in walk(table):
        kept = "none" if info.default is None else info.default
        default = "must be given" if info.is_required() else f"`{kept}`"
        yield f"| `{setting}` | {default} | {info.description} |"


if __name__ == "__main__":
    write_page(PAGE, settings_page())
