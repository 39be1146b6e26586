from dataclasses import replace

import pytest

from tools.dev.system import (
    BROKER,
    CHROMIUM,
    FIREFOX,
    FOR_TEST,
    SYSTEMD,
    Machine,
    Need,
    Plan,
    Refusal,
    plan,
    venv_need,
)
from tools.dev.system_install import shown

DEBIAN = Machine(root=True, sudo=False, apt=True, systemd=True, ubuntu=False)


def planned(missing: tuple[Need, ...], machine: Machine) -> Plan:
    decided = plan(missing, machine)
    assert isinstance(decided, Plan)
    return decided


def refused(machine: Machine) -> str:
    decided = plan(FOR_TEST, machine)
    assert isinstance(decided, Refusal)
    return decided.sentence


def test_nothing_missing_needs_no_plan() -> None:
    assert plan((), replace(DEBIAN, root=False)) is None


def test_root_installs_with_apt_after_an_update() -> None:
    commands = planned((FIREFOX,), DEBIAN).commands
    assert commands[0][:2] == ("apt-get", "update")
    assert commands[1][-1] == "firefox-esr"
    assert "DEBIAN_FRONTEND=noninteractive" in commands[1]
    assert "--no-install-recommends" in commands[1]


def test_passwordless_sudo_is_used_and_never_asks() -> None:
    decided = planned(FOR_TEST, replace(DEBIAN, root=False, sudo=True))
    assert all(command[:2] == ("sudo", "-n") for command in decided.commands)


def test_without_root_and_sudo_one_sentence_names_the_command() -> None:
    sentence = refused(replace(DEBIAN, root=False))
    assert sentence.count(".") == 1
    for name in ("mosquitto", "firefox-esr", "chromium", "systemd-analyze", "dbus-daemon"):
        assert name in sentence
    assert (
        "'sudo apt-get install --no-install-recommends mosquitto firefox-esr chromium systemd dbus'"
        in sentence
    )


def test_without_apt_one_sentence_names_the_packages() -> None:
    assert "'mosquitto firefox-esr chromium systemd dbus'" in refused(replace(DEBIAN, apt=False))


def test_ubuntu_has_browsers_as_snaps_only() -> None:
    assert "sudo snap install firefox chromium" in refused(replace(DEBIAN, ubuntu=True))
    assert isinstance(plan((BROKER, SYSTEMD), replace(DEBIAN, ubuntu=True)), Plan)


def test_debian_never_starts_the_broker_it_installs() -> None:
    words = [" ".join(command) for command in planned((BROKER,), DEBIAN).commands]
    masked = words.index("systemctl mask --runtime mosquitto.service")
    installed = next(index for index, word in enumerate(words) if "apt-get install" in word)
    unmasked = words.index("systemctl unmask --runtime mosquitto.service")
    assert masked < installed < unmasked
    assert words[-1] == "systemctl disable mosquitto.service"


@pytest.mark.parametrize(
    ("missing", "machine"),
    [((CHROMIUM,), DEBIAN), ((BROKER,), replace(DEBIAN, systemd=False))],
)
def test_units_are_left_alone_where_there_is_no_service_or_no_systemd(
    missing: tuple[Need, ...], machine: Machine
) -> None:
    assert not any("systemctl" in command for command in planned(missing, machine).commands)


def test_only_the_install_has_to_succeed() -> None:
    decided = planned(FOR_TEST, DEBIAN)
    must = [command for command in decided.commands if command not in decided.may_fail]
    assert len(must) == 1
    assert "install" in must[0]


def test_the_package_for_virtual_environments_fits_the_python() -> None:
    assert venv_need((3, 11), is_default=True).package == "python3-venv"
    assert venv_need((3, 13), is_default=False).package == "python3.13-venv"


def test_a_command_is_shown_without_its_options() -> None:
    install = planned((BROKER,), replace(DEBIAN, systemd=False)).commands[-1]
    assert shown(install) == ["apt-get", "install", "mosquitto"]
