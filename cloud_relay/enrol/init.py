"""``laundryd relay init``: the relay's folder, keys, settings file, and the broker's files.

Everything is made once: what is there is kept, so running it again mends what is missing and no more.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cloud_relay.enrol.mosquitto import (
    RELAY_USER,
    BrokerFiles,
    Listeners,
    configuration,
    new_password,
    relay_acl,
    replace_file,
    standalone,
)
from cloud_relay.errors import SetupError
from cloud_relay.push.vapid import Vapid
from cloud_relay.settings import RelaySettings, is_local
from laundryd.daemon.settings import load_settings
from laundryd.daemon.tokens import SigningKey, write_secret

FOLDER_MODE: Final = 0o700


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """What the admin said. ``edge_host``: the broker's name for edges, with ``listeners.tls_port``.

    ``mosquitto_dir`` None: ``mosquitto/`` in ``data_dir``. ``tables`` are further settings to write.
    """

    data_dir: Path
    config: Path
    public_url: str
    vapid_subject: str
    listeners: Listeners
    edge_host: str
    mosquitto_dir: Path | None = None
    tables: dict[str, dict[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Initialised:
    """What is there now. ``made`` are the files that were not there before, or were set right."""

    settings: RelaySettings
    made: tuple[Path, ...]


def initialise(plan: RelayPlan) -> Initialised:
    """Make what is missing and return the settings as ``relay run`` will load them.

    Raises:
        SetupError: a folder cannot be made or read, or the settings file has no broker password.
        SettingsError: the settings, those given or those of an existing file, are wrong.

    """
    before = _present(plan)
    try:
        plan.data_dir.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        plan.data_dir.chmod(FOLDER_MODE)
        if not plan.config.exists():
            _check(plan)
            write_secret(plan.config, _settings_file(plan).encode())
        settings = load_settings(RelaySettings, plan.config)
        SigningKey.load_or_create(settings.keys.signing)
        SigningKey.load_or_create(settings.keys.enrolment)
        Vapid.load_or_create(settings.keys.vapid, settings.push.vapid_subject)
        renewed = _broker_files(plan, settings)
    except OSError as error:
        raise SetupError(
            f"{error.filename}: {error.strerror}; run this as the user that the relay runs as, "
            "or name another --data-dir"
        ) from error
    return Initialised(settings, tuple(sorted((_present_after(plan, settings) - before) | renewed)))


def _check(plan: RelayPlan) -> None:
    """Judge what was said before anything is written: a wrong settings file would be kept."""
    load_settings(RelaySettings, None, _tables(plan, new_password()))


def _settings_file(plan: RelayPlan) -> str:
    tables = _tables(plan, new_password())
    lines = [
        "# The relay's settings; all of them stand in docs/settings-relay.md. Holds a password: 0600.",
        *_toml_keys(tables),
    ]
    for name, table in tables.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *_toml_keys(table)]
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)  # what we write we can read
    return text


def _tables(plan: RelayPlan, password: str) -> dict[str, object]:
    tables: dict[str, object] = {"data_dir": str(plan.data_dir.absolute())}
    if plan.mosquitto_dir is not None:
        tables["mosquitto_dir"] = str(plan.mosquitto_dir.absolute())
    has_tls = plan.listeners.tls_cert is not None
    own: dict[str, dict[str, object]] = {
        "http": _http(plan.public_url),
        "push": {"vapid_subject": plan.vapid_subject},
        "broker": {
            "host": "127.0.0.1",
            "port": plan.listeners.local_port,
            "username": RELAY_USER,
            "password": password,
        },
        "edge_broker": {
            "host": plan.edge_host,
            "port": plan.listeners.tls_port if has_tls else plan.listeners.local_port,
            "tls": has_tls,
        },
    }
    for name in {**own, **plan.tables}:
        tables[name] = {**own.get(name, {}), **plan.tables.get(name, {})}
    return tables


def _http(public_url: str) -> dict[str, object]:
    """Listen where the address says if that is this computer; elsewhere a reverse proxy does.

    The proxy is on this computer, as nobody else reaches 127.0.0.1. Unless it is believed whom it speaks
    for, all residents count as one address before the limit on join codes.
    """
    parts = urlsplit(public_url)
    here = parts.scheme == "http" and is_local(parts.hostname or "")
    extra: dict[str, object] = (
        {"port": parts.port or 80} if here else {"trusted_proxies": ["127.0.0.1/32", "::1/128"]}
    )
    return {"public_url": public_url, **extra}


def _toml_keys(table: dict[str, object]) -> list[str]:
    # A JSON string, number, boolean or list of these is a TOML one as it stands.
    return [
        f"{name} = {json.dumps(value, ensure_ascii=False)}"
        for name, value in table.items()
        if not isinstance(value, dict)
    ]


def _broker_files(plan: RelayPlan, settings: RelaySettings) -> set[Path]:
    """Make what is missing; return the password file if it held another password than the settings."""
    folder = settings.broker_files.resolve()
    files = BrokerFiles(folder)
    user, password = settings.broker.username, settings.broker.password
    if user is None or password is None:
        raise SetupError(
            f"{plan.config}: broker.username or broker.password is missing; add them, or move the "
            "file away and run init again"
        )
    renewed: set[Path] = set()
    # Also when the settings were made anew: a relay that its broker refuses would never say why.
    if not files.accepts(user, password.get_secret_value()):
        files.set_password(user, password.get_secret_value())
        renewed = {files.passwords}
    files.set_rules(relay_acl())
    for name, text in (
        ("laundryd.conf", configuration(folder, plan.listeners)),
        ("standalone.conf", standalone(folder, plan.listeners)),
    ):
        if not (folder / name).exists():
            replace_file(folder / name, text)
    return renewed


def _present(plan: RelayPlan) -> set[Path]:
    folders = [plan.data_dir, *([plan.mosquitto_dir] if plan.mosquitto_dir else [])]
    found = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    return found | ({plan.config} if plan.config.exists() else set())


def _present_after(plan: RelayPlan, settings: RelaySettings) -> set[Path]:
    found = _present(plan)
    return found | {path for path in settings.broker_files.glob("*") if path.is_file()}
