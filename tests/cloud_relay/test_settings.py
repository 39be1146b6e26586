from __future__ import annotations

from pathlib import Path

import pytest

from cloud_relay.settings import PAGE, RelaySettings, settings_page
from laundryd.daemon.settings import SettingsError, load_settings
from laundryd.daemon.settings_page import undocumented

ROOT = Path(__file__).parents[2]


def sentences(config: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(RelaySettings, config)
    return caught.value.sentences


def add(config: Path, text: str) -> Path:
    config.write_text(config.read_text() + text)
    return config


def test_every_setting_says_its_unit_and_reason() -> None:
    assert undocumented(RelaySettings) == []


def test_the_page_of_settings_is_current() -> None:
    assert (ROOT / PAGE).read_text() == settings_page(), "run python -m cloud_relay.settings"


def test_a_minimal_file_is_enough(relay_toml: Path) -> None:
    settings = load_settings(RelaySettings, relay_toml)
    assert settings.http.is_https
    assert "laundry.example.org" in settings.hosts
    assert settings.http.public_url in settings.origins


def test_a_wrong_setting_names_itself_what_was_found_and_what_is_allowed(relay_toml: Path) -> None:
    (said,) = sentences(add(relay_toml, "[broker]\nport = 99999\n"))
    assert said.startswith(f"broker.port in {relay_toml}: found 99999; allowed: ")
    assert "65535" in said


def test_an_unknown_setting_names_the_nearest_one(relay_toml: Path) -> None:
    (said,) = sentences(add(relay_toml, '[broker]\nhots = "x"\n'))
    assert "broker.hots" in said
    assert "did you mean broker.host?" in said


def test_an_unknown_variable_is_refused(relay_toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNDRYD_RELAY_BROKER__PROT", "1884")
    (said,) = sentences(relay_toml)
    assert said == (
        "LAUNDRYD_RELAY_BROKER__PROT: no such setting; did you mean LAUNDRYD_RELAY_BROKER__PORT?"
    )


def test_a_wrong_variable_is_named_as_the_place(
    relay_toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUNDRYD_RELAY_BROKER__PORT", "many")
    (said,) = sentences(relay_toml)
    assert said.startswith("broker.port in LAUNDRYD_RELAY_BROKER__PORT: found 'many'")


def test_a_missing_setting_says_where_to_write_it(tmp_path: Path) -> None:
    config = tmp_path / "relay.toml"
    config.write_text('[push]\nvapid_subject = "mailto:staff@example.org"\n[http]\n')
    (said,) = sentences(config)
    assert said.startswith(f"http.public_url: is not set; write it into {config}")
    assert "LAUNDRYD_RELAY_HTTP__PUBLIC_URL" in said


def test_every_wrong_setting_gets_its_own_sentence(relay_toml: Path) -> None:
    assert len(sentences(add(relay_toml, "[broker]\nport = 0\n[join]\ncap = 0\n"))) == 2


def test_a_wrong_secret_is_not_shown(relay_toml: Path) -> None:
    (said,) = sentences(add(relay_toml, "[broker]\npassword = 123456\n"))
    assert "123456" not in said


@pytest.mark.parametrize(
    "url", ["laundry.example.org", "http://laundry.example.org", "https://a.example/app", "ftp://x"]
)
def test_a_public_url_that_cannot_serve_phones_is_refused(tmp_path: Path, url: str) -> None:
    config = tmp_path / "relay.toml"
    config.write_text(
        f'[push]\nvapid_subject = "mailto:staff@example.org"\n[http]\npublic_url = "{url}"\n'
    )
    (said,) = sentences(config)
    assert said.startswith(f"http.public_url in {config}: found '{url}'; allowed: ")


@pytest.mark.parametrize(
    "subject", ["staff@example.org", "mailto:me@localhost", "https://localhost"]
)
def test_a_contact_that_push_services_refuse_is_refused_here(tmp_path: Path, subject: str) -> None:
    config = tmp_path / "relay.toml"
    config.write_text(
        f'[push]\nvapid_subject = "{subject}"\n[http]\npublic_url = "https://l.example.org"\n'
    )
    (said,) = sentences(config)
    assert said.startswith("push.vapid_subject")


@pytest.mark.parametrize(
    "line",
    [
        "clock_speed = 60",
        'push_origins = ["http://127.0.0.1:1"]',
        'push_ca = "/nowhere.pem"',
        "clock_epoch_s = 5",
    ],
)
def test_a_testing_setting_is_refused_unless_told_twice(relay_toml: Path, line: str) -> None:
    before = relay_toml.read_text()
    (said,) = sentences(add(relay_toml, f"[testing]\n{line}\n"))
    assert "testing.enabled = true" in said
    relay_toml.write_text(f"{before}[testing]\nenabled = true\n{line}\n")
    assert load_settings(RelaySettings, relay_toml).testing.enabled


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "relay.toml"
    config.write_text(
        '[push]\nvapid_subject = "mailto:staff@example.org"\n'
        '[http]\npublic_url = "https://l.example.org"\ntls_cert = "c.pem"\n'
    )
    (said,) = sentences(config)
    assert "tls_key" in said


def test_the_environment_goes_before_credentials_and_these_before_the_file(
    relay_toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(relay_toml, '[broker]\nport = 1000\nusername = "file"\npassword = "file"\n')
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "broker.password").write_text("credential\n")
    (folder / "broker__port").write_text("2000")
    (folder / "tls.pem").write_text("not a setting of ours")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    monkeypatch.setenv("LAUNDRYD_RELAY_BROKER__PORT", "3000")
    broker = load_settings(RelaySettings, relay_toml).broker
    assert broker.port == 3000
    assert broker.username == "file"
    assert broker.password is not None
    assert broker.password.get_secret_value() == "credential"
    assert load_settings(RelaySettings, relay_toml, {"broker": {"port": 4000}}).broker.port == 4000


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path: Path) -> None:
    config = tmp_path / "relay.toml"
    (said,) = sentences(config)
    assert str(config) in said
    config.write_text("port =")
    (said,) = sentences(config)
    assert "is not TOML" in said


def test_a_credential_that_cannot_be_read_is_named_without_its_content(
    relay_toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broker.password").write_bytes(b"\xffsecret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (said,) = sentences(relay_toml)
    assert str(tmp_path / "broker.password") in said
    assert "secret" not in said


FCM = """[fcm]
service_account = "/run/credentials/laundryd-relay.service/service-account.json"
api_key = "AIzaSyA-0123456789_0123456789-0123456789"
app_id = "1:123456789012:web:0123456789abcdef012345"
sender_id = "123456789012"
vapid_key = "{key}"
"""
KEY = "B" + "A" * 86


def test_fcm_is_off_until_all_of_it_is_given(relay_toml: Path) -> None:
    off = load_settings(RelaySettings, relay_toml).fcm
    assert off.service_account is None
    assert off.web("a-project") is None
    on = load_settings(RelaySettings, add(relay_toml, FCM.format(key=KEY))).fcm
    web = on.web("a-project")
    assert web is not None
    assert (web.project_id, web.vapid_key) == ("a-project", KEY)


def test_half_of_fcm_is_refused_and_what_is_missing_named(relay_toml: Path) -> None:
    (said,) = sentences(add(relay_toml, '[fcm]\nsender_id = "123456789012"\n'))
    assert "service_account, api_key, app_id, vapid_key of fcm too" in said


def test_a_private_key_in_the_public_ones_place_is_refused(relay_toml: Path) -> None:
    (said,) = sentences(add(relay_toml, FCM.format(key="A" * 43)))
    assert said.startswith("fcm.vapid_key in ")


def test_where_fcm_is_cannot_be_set_in_production(relay_toml: Path) -> None:
    local = '[testing]\nfcm_origin = "http://127.0.0.1:1"\n'
    (said,) = sentences(add(relay_toml, local))
    assert "fcm_origin only together with testing.enabled = true" in said
