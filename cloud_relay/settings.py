"""The relay's settings. ``python -m cloud_relay.settings`` writes ``docs/settings-relay.md`` from here."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_settings import SettingsConfigDict

from cloud_relay.push.endpoints import PUSH_SERVICES, PushHosts
from cloud_relay.push.vapid import check_subject
from cloud_relay.rooms.snapshots import KEEP_S, ROOMS_MAX
from laundryd.daemon.logs import LogLevel
from laundryd.daemon.mqtt import BrokerSettings
from laundryd.daemon.settings import ProgramSettings
from laundryd.daemon.settings_page import page, write_page
from laundryd.live.settings import LiveSettings
from laundryd.wire.bodies import FcmWeb
from laundryd.wire.ids import CommandId

ENV_PREFIX: Final = "LAUNDRYD_RELAY_"
PAGE_COMMAND: Final = "python -m cloud_relay.settings"
PAGE: Final = Path("docs/settings-relay.md")


def is_local(name: str) -> bool:
    """Say whether a host name or address is this computer itself."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _origin(url: str) -> str:
    parts = urlsplit(url.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an address like https://laundry.example.org")
    if parts.path or parts.query or parts.fragment or parts.username:
        raise ValueError("scheme, name and port only: the app lives at the root of its own name")
    if parts.scheme == "http" and not is_local(parts.hostname):
        raise ValueError("https: over plain http phones get no push and tokens can be overheard")
    return f"{parts.scheme}://{parts.netloc.lower()}"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class EdgeBrokerSettings(_Table):
    """Where the edges find the broker: what ``room add`` writes into an enrolment file."""

    host: str = Field(
        default="127.0.0.1", description="Name of the broker as the rooms' computers reach it."
    )
    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        default=1883, description="TCP port for edges; 8883 is usual with TLS."
    )
    tls: bool = Field(
        default=False, description="True makes edges encrypt and check the broker's certificate."
    )


class HttpSettings(_Table):
    """Where the relay is served, and under which names."""

    host: str = Field(
        default="127.0.0.1",
        description="Address to listen on; the default leaves TLS and the outside to a reverse proxy.",
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=8080, description="TCP port to listen on; 0 lets the system choose, for tests."
    )
    public_url: Annotated[str, AfterValidator(_origin)] = Field(
        description="Address that residents open, without a path; join codes and rosters name it."
    )
    allowed_hosts: frozenset[str] = Field(
        default=frozenset(),
        description="Further Host headers that are answered, name or name:port; the name of "
        "public_url always is. Others could be a foreign name rebound to our address.",
    )
    allowed_origins: frozenset[str] = Field(
        default=frozenset(),
        description="Further origins whose pages may send requests, scheme://host[:port]; a page "
        "served under an allowed host always may.",
    )
    tls_cert: Path | None = Field(
        default=None, description="Certificate chain, PEM; none when a reverse proxy ends TLS."
    )
    tls_key: Path | None = Field(
        default=None, description="Private key of tls_cert, PEM; both are given or neither."
    )
    trusted_proxies: frozenset[IPv4Network | IPv6Network] = Field(
        default=frozenset(),
        description="Addresses or networks of reverse proxies whose X-Forwarded-For is believed, so "
        "that the limits on join codes count real clients. Anybody else could write that header.",
    )

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are given together, or neither")
        return self

    @property
    def public_host(self) -> str:
        """Name and port of ``public_url``, as browsers write them into ``Host``."""
        return urlsplit(self.public_url).netloc

    @property
    def is_https(self) -> bool:
        """Whether residents reach the relay over https, so that its cookie can be ``Secure``."""
        return self.public_url.startswith("https:")


class PushSettings(_Table):
    """Web Push."""

    vapid_subject: Annotated[str, AfterValidator(check_subject)] = Field(
        description="Whom a push service may write to about us, mailto: or https (RFC 8292, 2.1); "
        "services refuse senders that cannot be reached."
    )
    hosts: tuple[str, ...] = Field(
        default=PUSH_SERVICES,
        description="Hosts of push services; `*.` stands for one label or more. Nobody else is sent "
        "to: a subscription's address is chosen by whoever sends it.",
    )


class FcmSettings(_Table):
    """Firebase Cloud Messaging, for Android. All of it is given, or none: then all goes by Web Push."""

    service_account: Path | None = Field(
        default=None,
        description="Key file of the Firebase project's service account, JSON, that nobody else may "
        "read; best given as a credential, whose path is written here.",
    )
    api_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{20,100}$")] | None = Field(
        default=None,
        description="`apiKey` of the project's web app. This and the rest are public: the app is told.",
    )
    app_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z:]{10,100}$")] | None = Field(
        default=None, description="`appId` of the project's web app."
    )
    sender_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{5,20}$")] | None = Field(
        default=None, description="`messagingSenderId` of the project's web app."
    )
    vapid_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{87}$")] | None = Field(
        default=None,
        description="Public key of the project's web push certificate, under Cloud Messaging: 65 "
        "bytes as base64url.",
    )

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        missing = [name for name in type(self).model_fields if getattr(self, name) is None]
        if missing and len(missing) < len(type(self).model_fields):
            raise ValueError(
                f"{', '.join(missing)} of fcm too: all of the table is given, or none of it"
            )
        return self

    def web(self, project_id: str) -> FcmWeb | None:
        """Return what the app registers with, None: by Web Push; ``project_id``: the service account's."""
        if not (self.api_key and self.app_id and self.sender_id and self.vapid_key):
            return None
        return FcmWeb(
            project_id=project_id,
            api_key=self.api_key,
            app_id=self.app_id,
            sender_id=self.sender_id,
            vapid_key=self.vapid_key,
        )


class SnapshotSettings(_Table):
    """Rooms that are kept encoded, for pages that open or that missed too much."""

    rooms_max: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=ROOMS_MAX,
        description="Rooms kept encoded; the longest unasked goes first. A room of ten machines is "
        "some 5 KB, so 10,000 are 50 MB.",
    )
    keep_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=KEEP_S,
        description="Seconds after which a room is encoded anew although nothing happened; any event "
        "does that at once, and 0 keeps nothing.",
    )


class JoinSettings(_Table):
    """How residents are let in."""

    cap: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=200,
        description="Residents that one join code lets in before staff must make a new one: a code "
        "that got about is worth no more than this.",
    )
    code_days: Annotated[int, Field(ge=1, le=3_650)] | None = Field(
        default=None,
        description="Days until a new join code expires; none: it hangs in the room until replaced.",
    )
    tries_per_address_h: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=60,
        description="Codes that one client address may try within an hour. A whole house may share "
        "one address; a code of 39 bits stands this for centuries.",
    )
    joins_per_room_h: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=100,
        description="Residents that one room lets in within an hour: the day everybody moves in, and "
        "no more.",
    )


class TestingSettings(_Table):
    """What production must never have; all of it is refused unless ``enabled`` is true too."""

    enabled: bool = Field(
        default=False, description="True lets the other settings of this table be used, in a demo."
    )
    clock_speed: Annotated[float, Field(ge=1, le=10_000)] = Field(
        default=1.0, description="Room seconds in a real second; timers of protocols stay real."
    )
    clock_epoch_s: Annotated[float, Field(ge=0)] | None = Field(
        default=None,
        description="Unix seconds at which room time and real time agreed; the edge is given the "
        "same. None: the start of the program.",
    )
    push_origins: frozenset[str] = Field(
        default=frozenset(),
        description="Origins such as http://127.0.0.1:8090 that are pushed to whatever else they "
        "break: a local push service. In production that would aim the relay at inner servers.",
    )
    push_ca: Path | None = Field(
        default=None,
        description="Certificates, PEM, that alone are trusted for pushes: those of a local push service "
        "with https. None: whom this computer trusts.",
    )
    fcm_origin: Annotated[str, AfterValidator(_origin)] | None = Field(
        default=None,
        description="Where FCM is instead of at Google's: a local one. In production whoever is "
        "there would read every notice.",
    )

    @model_validator(mode="after")
    def _told_twice(self) -> Self:
        default = TestingSettings.model_fields
        wrong = [
            name for name in self.model_fields_set if getattr(self, name) != default[name].default
        ]
        if not self.enabled and wrong:
            raise ValueError(
                f"{', '.join(sorted(wrong))} only together with testing.enabled = true, "
                "which production never has"
            )
        return self


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The relay's own keys, each a PEM file of mode 0600 in ``folder``."""

    folder: Path

    @property
    def signing(self) -> Path:
        """Signs residents' tokens."""
        return self.folder / "signing.pem"

    @property
    def enrolment(self) -> Path:
        """Signs rosters; every enrolled edge knows its public half."""
        return self.folder / "enrolment.pem"

    @property
    def vapid(self) -> Path:
        """Signs what is sent to push services (RFC 8292)."""
        return self.folder / "vapid.pem"


class RelaySettings(ProgramSettings):
    """Everything that an admin can set at the relay."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX)

    data_dir: Path = Field(
        default=Path("/var/lib/laundryd-relay"),
        description="Folder of the database and the keys, mode 0700; back it up whole.",
    )
    mosquitto_dir: Path | None = Field(
        default=None,
        description="Folder of the broker's configuration, password and ACL files; none: mosquitto/ "
        "in data_dir. The broker's own user must be able to read it.",
    )
    relay_id: CommandId = Field(
        default="relay",
        description="Names this relay in the topic of answers to its commands; one each when there "
        "are several at one broker.",
    )
    log_level: LogLevel = Field(
        default="info",
        description="Least important lines that are logged; debug is for hunting bugs.",
    )
    log_json: bool = Field(
        default=False, description="True writes each log line as JSON, for a log collector."
    )
    broker: BrokerSettings = Field(
        default_factory=BrokerSettings, description="The cloud's broker and the relay's credential."
    )
    edge_broker: EdgeBrokerSettings = Field(
        default_factory=EdgeBrokerSettings, description="The same broker as the edges reach it."
    )
    http: HttpSettings = Field(description="The HTTP server.")
    live: LiveSettings = Field(default_factory=LiveSettings, description="The session server.")
    push: PushSettings = Field(description="Web Push.")
    fcm: FcmSettings = Field(
        default_factory=FcmSettings, description="Firebase Cloud Messaging, for Android phones."
    )
    snapshots: SnapshotSettings = Field(
        default_factory=SnapshotSettings, description="Rooms that are kept encoded."
    )
    join: JoinSettings = Field(
        default_factory=JoinSettings, description="How residents are let in."
    )
    testing: TestingSettings = Field(
        default_factory=TestingSettings, description="For demo and tests."
    )

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "relay.db"

    @property
    def keys(self) -> KeyFiles:
        """The files of the relay's own keys."""
        return KeyFiles(self.data_dir / "keys")

    @property
    def push_hosts(self) -> PushHosts:
        """Whom the relay pushes to."""
        return PushHosts(self.push.hosts, self.testing.push_origins)

    @property
    def broker_files(self) -> Path:
        """The folder of Mosquitto's files."""
        return self.mosquitto_dir or self.data_dir / "mosquitto"

    @property
    def hosts(self) -> frozenset[str]:
        """Every Host header that is answered."""
        named = self.http.allowed_hosts | self.live.allowed_hosts | {self.http.public_host}
        return frozenset(host.lower() for host in named)

    @property
    def origins(self) -> frozenset[str]:
        """Every origin whose pages may send requests, beside pages served under an allowed host."""
        return self.http.allowed_origins | self.live.allowed_origins | {self.http.public_url}


def settings_page() -> str:
    """Write ``docs/settings-relay.md``."""
    return page(RelaySettings, "the relay", PAGE_COMMAND)


if __name__ == "__main__":
    write_page(PAGE, settings_page())
