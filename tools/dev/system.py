"""What the machine lacks, and what to do about it: pure, so that every kind of machine is a test.

Debian, Raspberry Pi OS and Ubuntu are known; elsewhere the sentence names what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LOCK_WAIT_S = 300
"""How long apt waits for another apt: a fresh machine often updates itself after its first boot."""


@dataclass(frozen=True)
class Need:
    """A program that must be there.

    `programs`: any one of these on PATH will do. `package`: what Debian calls it.
    `service`: the unit that Debian would start on its own, None if there is none.
    `snap`: what Ubuntu offers instead of a package, None if Ubuntu has the package.
    """

    purpose: str
    programs: tuple[str, ...]
    package: str
    service: str | None = None
    snap: str | None = None


BROKER = Need("the broker", ("mosquitto",), "mosquitto", service="mosquitto.service")
FIREFOX = Need("a browser for the tests", ("firefox-esr", "firefox"), "firefox-esr", snap="firefox")
CHROMIUM = Need(
    "a browser for the tests",
    ("chromium", "chromium-browser", "google-chrome-stable"),
    "chromium",
    snap="chromium",
)
SYSTEMD = Need("the check of the unit files", ("systemd-analyze",), "systemd")
DBUS = Need("clicks on the browsers' notifications", ("dbus-daemon",), "dbus")

FOR_DEMO = (BROKER,)
FOR_TEST = (BROKER, FIREFOX, CHROMIUM, SYSTEMD, DBUS)


def venv_need(version: tuple[int, int], *, is_default: bool) -> Need:
    """Return what makes virtual environments; `is_default`: it is Debian's own `python3`."""
    package = "python3-venv" if is_default else f"python{version[0]}.{version[1]}-venv"
    return Need("Python's virtual environments", ("ensurepip",), package)


@dataclass(frozen=True)
class Machine:
    """What matters about a machine and about who we are on it.

    `sudo`: sudo works here without a password. `systemd`: systemd runs this machine.
    """

    root: bool
    sudo: bool
    apt: bool
    systemd: bool
    ubuntu: bool


@dataclass(frozen=True)
class Plan:
    """Commands to run in this order. The result of those in `may_fail` does not matter."""

    commands: tuple[tuple[str, ...], ...]
    may_fail: frozenset[tuple[str, ...]]


@dataclass(frozen=True)
class Refusal:
    """One sentence: what is missing, and the command that helps."""

    sentence: str


def plan(missing: Sequence[Need], machine: Machine) -> Plan | Refusal | None:
    """Decide how the missing programs get there; None: nothing is missing."""
    if not missing:
        return None
    snaps = [need.snap for need in missing if need.snap and machine.ubuntu]
    if snaps:
        names = _listed(missing)
        packages = [need.package for need in missing if not need.snap]
        others = f" && {_by_hand(packages)}" if packages else ""
        return Refusal(
            f"Missing: {names}; Ubuntu has browsers only as snaps, so run "
            f"'sudo snap install {' '.join(snaps)}{others}' and try again."
        )
    packages = [need.package for need in missing]
    if not machine.apt:
        return Refusal(
            f"Missing: {_listed(missing)}; there is no apt-get here, so install what Debian calls "
            f"'{' '.join(packages)}' with this system's own package manager and try again."
        )
    if not (machine.root or machine.sudo):
        return Refusal(
            f"Missing: {_listed(missing)}; installing needs root and sudo asks for a password "
            f"here, so run '{_by_hand(packages)}' and try again."
        )
    return _apt_plan(missing, machine)


def _apt_plan(missing: Sequence[Need], machine: Machine) -> Plan:
    """Install without ever letting Debian start or enable a service of its own."""
    prefix = () if machine.root else ("sudo", "-n")
    services = [need.service for need in missing if need.service]
    update = (*prefix, "apt-get", "update", "-q")
    install = (
        *prefix,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
        "-q",
        "-y",
        "--no-install-recommends",
        "-o",
        f"DPkg::Lock::Timeout={LOCK_WAIT_S}",
        *(need.package for need in missing),
    )
    mask: list[tuple[str, ...]] = []
    unmask: list[tuple[str, ...]] = []
    if services and machine.systemd:
        # Debian's scripts start what they install unless the unit is masked meanwhile. Disabled
        # afterwards: a broker of the system must not take port 1883 at the next boot either.
        mask = [(*prefix, "systemctl", "mask", "--runtime", *services)]
        unmask = [
            (*prefix, "systemctl", "unmask", "--runtime", *services),
            (*prefix, "systemctl", "disable", *services),
        ]
    # An update fails as a whole when one foreign source is broken; the install tells whether it
    # mattered.
    return Plan((*mask, update, install, *unmask), frozenset((update, *mask, *unmask)))


def _listed(missing: Sequence[Need]) -> str:
    return ", ".join(f"{need.programs[0]} ({need.purpose})" for need in missing)


def _by_hand(packages: Sequence[str]) -> str:
    return f"sudo apt-get install --no-install-recommends {' '.join(packages)}"
