from __future__ import annotations

from pathlib import Path

import pytest

from edge.settings import PAGE, EdgeSettings, MachineSettings, ProgrammeSettings, settings_page
from edge.sources.reading import Reading
from edge.sources.source import PlugSpec
from edge.sources.table import build_source
from laundryd.daemon.settings import SettingsError, load_settings, walk
from laundryd.daemon.settings_page import undocumented
from tests.edge.room.driver import NOON

MINIMAL = """
site = "maple-hall"
room = "basement"
[[machines]]
id = "w1"
kind = "washer"
name = "Washer 1"
plug = { topic = "washer-1" }
"""


@pytest.fixture
def edge_toml(tmp_path: Path) -> Path:
    path = tmp_path / "edge.toml"
    path.write_text(MINIMAL)
    return path


def sentences(config: Path, more: str) -> list[str]:
    config.write_text(MINIMAL + more)
    with pytest.raises(SettingsError) as caught:
        load_settings(EdgeSettings, config)
    return caught.value.sentences


def test_every_setting_says_its_unit_and_reason() -> None:
    assert undocumented(EdgeSettings) == []
    for name, info in (*walk(MachineSettings), *walk(ProgrammeSettings)):
        assert info.description, name
        assert info.description.endswith("."), name


def test_the_page_of_settings_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_page(), "run python -m edge.settings"


def test_a_minimal_file_is_enough(edge_toml: Path) -> None:
    settings = load_settings(EdgeSettings, edge_toml)
    assert settings.ref.key == "maple-hall.basement"
    assert settings.machines[0].plug is not None
    assert settings.machines[0].plug.source == "tasmota"
    assert settings.cloud.enrolment is None


@pytest.mark.parametrize(
    ("more", "name", "found", "allowed"),
    [
        ("[http]\nport = 70000", "http.port", "70000", "65535"),
        ("[broker]\nkeepalive_s = 1", "broker.keepalive_s", "1", "5"),
        ("[timings]\nhold_s = 0", "timings.hold_s", "0", "1"),
        ('[[machines]]\nid = "W 2"\nkind = "washer"\nname = "x"', "machines.1.id", "W 2", "a-z0-9"),
        ('[[machines]]\nid = "w2"\nkind = "oven"\nname = "x"', "machines.1.kind", "oven", "washer"),
        (
            '[[machines]]\nid = "w2"\nkind = "washer"\nname = "x"\nplug = { topic = "a/#" }',
            "machines.1.plug.topic",
            "a/#",
            "pattern",
        ),
        ('[http]\ncertfile = "/nowhere.pem"', "http", "nowhere", "certfile and keyfile"),
        (
            '[http]\ncertfile = "/nowhere.pem"\nkeyfile = "/nowhere.key"',
            "http",
            "nowhere",
            "can be read",
        ),
        ('[broker]\ntls = true\nca_file = "/nowhere.pem"', "broker", "nowhere", "PEM file"),
        ('[broker]\nca_file = "/nowhere.pem"', "broker", "nowhere", "needs tls = true"),
    ],
)
def test_a_wrong_setting_names_itself_what_was_found_and_what_is_allowed(
    edge_toml: Path, more: str, name: str, found: str, allowed: str
) -> None:
    (said,) = sentences(edge_toml, more)
    assert said.startswith(f"{name} in {edge_toml}: found ")
    assert found in said
    assert allowed in said.partition("allowed: ")[2]


def test_two_machines_of_one_id_are_refused(edge_toml: Path) -> None:
    (said,) = sentences(edge_toml, '[[machines]]\nid = "w1"\nkind = "dryer"\nname = "x"')
    assert "two machines are called w1" in said


def test_two_programmes_of_one_kind_and_id_are_refused_and_of_two_kinds_are_not(
    edge_toml: Path,
) -> None:
    def cotton(kind: str, minutes: int = 55) -> str:
        return f'[[programmes]]\nid = "cotton"\nkind = "{kind}"\nname = "C"\nminutes = {minutes}\n'

    (said,) = sentences(edge_toml, cotton("washer") + cotton("washer", 60))
    assert "two programmes of a washer are called cotton" in said
    edge_toml.write_text(MINIMAL + cotton("washer") + cotton("dryer", 90))
    listed = load_settings(EdgeSettings, edge_toml).listed_programmes
    assert [(one.kind, one.minutes) for one in listed] == [("washer", 55), ("dryer", 90)]
    (said,) = sentences(edge_toml, cotton("washer", 361))
    assert "programmes.0.minutes" in said


def test_an_unknown_setting_names_the_nearest_one(edge_toml: Path) -> None:
    (said,) = sentences(edge_toml, "[http]\nprot = 80")
    assert "did you mean http.port?" in said


@pytest.mark.parametrize("line", ["clock_speed = 60", "clock_epoch_s = 5"])
def test_a_testing_setting_is_refused_unless_told_twice(edge_toml: Path, line: str) -> None:
    (said,) = sentences(edge_toml, f"[testing]\n{line}\n")
    assert "testing.enabled = true" in said
    edge_toml.write_text(f"{MINIMAL}[testing]\nenabled = true\n{line}\n")
    assert load_settings(EdgeSettings, edge_toml).testing.enabled


def test_a_missing_setting_says_where_to_write_it(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(MINIMAL.replace('site = "maple-hall"\n', ""))
    with pytest.raises(SettingsError) as caught:
        load_settings(EdgeSettings, path)
    (said,) = caught.value.sentences
    assert said.startswith(f"site: is not set; write it into {path} or set LAUNDRYD_EDGE_SITE")


def test_page_and_sockets_answer_to_the_same_names_however_they_are_written(
    edge_toml: Path,
) -> None:
    edge_toml.write_text(
        MINIMAL
        + '[http]\nhosts = ["Laundry.local"]\n[live]\nheartbeat_s = 10\nallowed_hosts = ["X"]'
    )
    settings = load_settings(EdgeSettings, edge_toml)
    assert settings.hosts == {"laundry.local", "x"}
    assert settings.live.heartbeat_s == 10


@pytest.mark.parametrize(
    "more",
    [
        '[broker]\npassword = "hunter2"',
        '[broker]\nusername = "a"\npassword = "hunter2"\nca_file = "/nowhere.pem"',
        '[broker]\nusername = "a"\npassword = ["hunter2"]',
    ],
)
def test_a_wrong_setting_beside_a_password_does_not_show_the_password(
    edge_toml: Path, more: str
) -> None:
    said = " ".join(sentences(edge_toml, more))
    assert "broker" in said
    assert "a secret that is not shown" in said
    assert "hunter2" not in said


def test_a_table_with_secrets_that_is_no_table_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text('broker = "mqtt://a:hunter2@host"\n' + MINIMAL)
    with pytest.raises(SettingsError, match="broker") as caught:
        load_settings(EdgeSettings, path)
    assert "hunter2" not in str(caught.value)


def test_a_plug_without_a_channel_feeds_its_machine_with_all_of_them(edge_toml: Path) -> None:
    plug = load_settings(EdgeSettings, edge_toml).machines[0].plug
    assert plug is not None
    source = build_source("w1", PlugSpec(plug.source, plug.topic, plug.channel))
    three_phases = b'{"ENERGY":{"Power":[700,710,690]}}'
    assert source.parse("tele/washer-1/SENSOR", three_phases, NOON) == [Reading("w1", NOON, 2100.0)]


@pytest.mark.parametrize(
    ("first", "second", "is_refused"), [("", "", True), ("", 1, True), (1, 1, True), (1, 2, False)]
)
def test_machines_that_share_a_plug_have_a_channel_each(
    edge_toml: Path, first: int | str, second: int | str, *, is_refused: bool
) -> None:
    def plug(channel: int | str) -> str:
        return 'plug = { topic = "washer-1"' + (f", channel = {channel}" if channel else "") + " }"

    more = f'[[machines]]\nid = "w2"\nkind = "washer"\nname = "x"\n{plug(second)}'
    edge_toml.write_text(MINIMAL.replace('plug = { topic = "washer-1" }', plug(first)) + more)
    if is_refused:
        with pytest.raises(SettingsError, match="2 machines share the plug washer-1"):
            load_settings(EdgeSettings, edge_toml)
    else:
        assert len(load_settings(EdgeSettings, edge_toml).machines) == 2
