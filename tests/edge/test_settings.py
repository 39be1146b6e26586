from __future__ import annotations

from pathlib import Path

import pytest

from edge.settings import PAGE, EdgeSettings, MachineSettings, ProgrammeSettings, settings_page
from edge.sources.reading import Reading
from edge.sources.table import build_source
from laundryd.daemon.settings import SettingsError, load_settings, walk
from laundryd.daemon.settings_page import says_enough, undocumented
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
        assert says_enough(name, info), name


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
    source = build_source("w1", plug.spec)
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


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        (
            'source = "shelly_gen1", topic = "shellies/x"',
            'source = "shelly_gen1", topic = "x"',
            True,
        ),
        ('topic = "y"', 'topic = "y/"', True),
        ('topic = "y", channel = 1', 'topic = "y/", channel = 2', False),
        ('topic = "y"', 'source = "generic", topic = "tele/y/SENSOR", power_path = "a"', True),
        ('topic = "y"', 'source = "shelly_gen1", topic = "y"', False),
        ('source = "zigbee2mqtt", topic = "z/a"', 'source = "zigbee2mqtt", topic = "z/b"', False),
        (
            'source = "generic", topic = "a", energy_topic = "e", energy_unit = "Wh"',
            'source = "generic", topic = "b", energy_topic = "e", energy_unit = "Wh"',
            False,
        ),
    ],
)
def test_one_plug_is_known_however_it_is_written(
    edge_toml: Path, first: str, second: str, *, is_refused: bool
) -> None:
    edge_toml.write_text(MINIMAL + machines_with(first, second))
    if is_refused:
        with pytest.raises(SettingsError, match="2 machines share the plug"):
            load_settings(EdgeSettings, edge_toml)
    else:
        assert len(load_settings(EdgeSettings, edge_toml).machines) == 3


def machines_with(*plugs: str) -> str:
    return "".join(
        f'[[machines]]\nid = "p{number}"\nkind = "washer"\nname = "x"\nplug = {{ {plug} }}\n'
        for number, plug in enumerate(plugs)
    )


@pytest.mark.parametrize(
    "plug",
    [
        'source = "tasmota", topic = "a/b", channel = 2',
        'source = "shelly_gen1", topic = "shelly-plug-s1"',
        'source = "shelly_gen2", topic = "plugs/w1", channel = 4',
        'source = "zigbee2mqtt", topic = "zigbee2mqtt/Washing machine"',
        'source = "zigbee2mqtt", topic = "home/z2m/w1", base_topic = "home/z2m"',
        'source = "esphome", topic = "n", power_sensor = "p", energy_sensor = "e", energy_unit = "Wh"',
        'source = "generic", topic = "meter/power", power_unit = "kW"',
        'source = "generic", topic = "m", power_path = "a.0.b", energy_path = "c", energy_unit = "kWh"',
        'source = "generic", topic = "p", energy_topic = "e", energy_unit = "Wh"',
    ],
)
def test_every_make_of_plug_can_be_written(edge_toml: Path, plug: str) -> None:
    edge_toml.write_text(MINIMAL + machines_with(plug))
    made = load_settings(EdgeSettings, edge_toml).machines[1].plug
    assert made is not None
    assert build_source("p0", made.spec).filters()


@pytest.mark.parametrize(
    ("plug", "said"),
    [
        ('source = "shelly", topic = "a"', "'shelly_gen1'"),
        (
            'topic = "a", power_path = "b"',
            "power_path is not for the source tasmota but for generic",
        ),
        (
            'source = "generic", topic = "a", channel = 1',
            "channel is not for the source generic but for tasmota, shelly_gen1, shelly_gen2, zigbee",
        ),
        ('source = "zigbee2mqtt", topic = "w1"', "as in zigbee2mqtt/washer-1"),
        ('source = "esphome", topic = "a"', "power_sensor is not set; write the id"),
        ('source = "generic", topic = "a", energy_topic = "b"', "energy_unit goes with"),
        ('source = "generic", topic = "a", power_unit = "MW"', "'kW' or 'mW'"),
        ('topic = "a "', "pattern"),
        ('topic = "a\\u007fb"', "pattern"),
    ],
)
def test_a_plug_whose_settings_do_not_go_together_is_refused_in_one_sentence(
    edge_toml: Path, plug: str, said: str
) -> None:
    (sentence,) = sentences(edge_toml, machines_with(plug))
    assert sentence.startswith("machines.1")
    assert said in sentence


@pytest.mark.parametrize(
    ("plugs", "said"),
    [
        (('source = "esphome", topic = "n", power_sensor = "a"',) * 2, "its own power_sensor"),
        (('source = "generic", topic = "n", power_path = "a"',) * 2, "its own power_path"),
        (('source = "shelly_gen2", topic = "n"',) * 2, "its own channel"),
        (
            (
                'source = "esphome", topic = "n", power_sensor = "a"',
                'source = "esphome", topic = "n", power_sensor = "b"',
            ),
            None,
        ),
        (
            (
                'source = "generic", topic = "n", power_path = "a"',
                'source = "generic", topic = "n", power_path = "b"',
            ),
            None,
        ),
    ],
)
def test_machines_behind_one_topic_are_told_apart_as_their_make_does(
    edge_toml: Path, plugs: tuple[str, ...], said: str | None
) -> None:
    if said is None:
        edge_toml.write_text(MINIMAL + machines_with(*plugs))
        assert len(load_settings(EdgeSettings, edge_toml).machines) == 3
    else:
        (sentence,) = sentences(edge_toml, machines_with(*plugs))
        assert said in sentence


@pytest.mark.parametrize("spelled", ["broker.keepalive_s", "broker__keepalive_s"])
def test_what_stands_nearer_wins_toml_credential_environment(
    edge_toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: str
) -> None:
    def keepalive_s() -> int:
        return load_settings(EdgeSettings, edge_toml).broker.keepalive_s

    assert keepalive_s() == 20
    edge_toml.write_text(MINIMAL + "[broker]\nkeepalive_s = 30\n")
    assert keepalive_s() == 30
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / spelled).write_text("40\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert keepalive_s() == 40
    monkeypatch.setenv("LAUNDRYD_EDGE_BROKER__KEEPALIVE_S", "50")
    assert keepalive_s() == 50


def test_a_room_can_be_told_everything_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNDRYD_EDGE_SITE", "maple-hall")
    monkeypatch.setenv("LAUNDRYD_EDGE_ROOM", "basement")
    monkeypatch.setenv(
        "LAUNDRYD_EDGE_MACHINES",
        '[{"id": "w1", "kind": "washer", "name": "W", "plug": {"topic": "washer-1"}}]',
    )
    monkeypatch.setenv("LAUNDRYD_EDGE_HTTP__HOSTS", '["laundry.local"]')
    settings = load_settings(EdgeSettings)
    assert settings.hosts >= {"laundry.local"}
    assert settings.machines[0].plug is not None


def test_the_brokers_password_is_read_from_a_credential_and_not_shown(
    edge_toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge_toml.write_text(MINIMAL + '[broker]\nusername = "edge"\n')
    (tmp_path / "broker.password").write_text("hunter2\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    broker = load_settings(EdgeSettings, edge_toml).broker
    assert broker.password is not None
    assert broker.password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(broker)
    (tmp_path / "broker.port").write_text("many")
    with pytest.raises(SettingsError, match=r"broker\.port in a credential file: found 'many'"):
        load_settings(EdgeSettings, edge_toml)
