"""Both programs under a real systemd, installed as docs/admin.md says."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.systemd.booted import ROOT, Box, lacking, until

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(300),
    pytest.mark.skipif(lacking() is not None, reason=lacking() or ""),
]

PROGRAM: Final = "/opt/laundryd/bin/laundryd"
RELAY: Final = "laundryd-relay.service"
EDGE: Final = "laundryd-edge.service"
RELAY_URL: Final = "http://127.0.0.1:8081"
STOPS_WITHIN_S: Final = 8.0
BACK_WITHIN_S: Final = 30.0

EDGE_TOML: Final = """\
site = "maple"
room = "basement"
[http]
port = 8080
public_url = "http://127.0.0.1:8080"
[cloud]
enrolment = "/run/credentials/laundryd-edge.service/enrolment.toml"
[[machines]]
id = "w1"
kind = "washer"
name = "Washer 1"
"""

CLAIM: Final = """\
import json, sys, time, urllib.request as web
base, code = sys.argv[1:]
opener = web.build_opener(web.HTTPCookieProcessor())
def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Origin": base, "Content-Type": "application/json"}
    return json.load(opener.open(web.Request(base + "/api/v1/" + path, data, headers), timeout=10))
ask("join", {"code": code})
while not ask("rooms/maple.basement")["edge"]["online"]:
    time.sleep(0.1)
ask("rooms/maple.basement/machines/w1/claim", {"id": "wish-1"})
while (phase := ask("rooms/maple.basement")["machines"][0]["phase"]) == "free":
    time.sleep(0.1)
print(json.dumps(phase))
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A computer on which an admin followed the guide: broker, relay, a room, its edge."""
    box = Box(tmp_path_factory.mktemp("box"))
    box.start()
    try:
        try:
            _install(box)
        except AssertionError as error:
            error.add_note(box.run("journalctl", "-o", "cat", "--no-pager", "-n", "40").stdout)
            raise
        yield box
    finally:
        box.stop()


def _install(box: Box) -> None:
    units = ROOT / "systemd"
    box.run("cp", units / RELAY, units / EDGE, "/etc/systemd/system/")
    box.run("systemctl", "daemon-reload")
    # Too early: the folder is the service's from now on, and what root then makes in it must be too.
    box.run("systemctl", "start", RELAY, check=False)
    assert box.show(RELAY, "ExecMainStatus") == "2"
    box.run("install", "-d", "-m", "2750", "-g", "mosquitto", "/etc/mosquitto/laundryd")
    box.run(
        *(PROGRAM, "relay", "init", "--mosquitto-dir", "/etc/mosquitto/laundryd"),
        *("--public-url", RELAY_URL, "--vapid-subject", "mailto:admin@example.org"),
    )
    conf = "/etc/mosquitto/laundryd/laundryd.conf"
    box.run("ln", "-sf", conf, "/etc/mosquitto/conf.d/laundryd.conf")
    box.run("systemctl", "restart", "mosquitto")
    enrolled = units / f"{EDGE}.d" / "enrolled.conf"
    box.run("install", "-D", "-t", f"/etc/systemd/system/{EDGE}.d", enrolled)
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "enable", "--now", RELAY)
    added = box.run(PROGRAM, "relay", "room", "add", "maple.basement", "--name", "Basement")
    box.run("systemctl", "reload", "mosquitto")
    made = "/var/lib/laundryd-relay/enrolments/maple.basement.toml"
    box.write("/etc/laundryd/edge.toml", EDGE_TOML)
    box.run("install", "-m", "0600", made, "/etc/laundryd/enrolment.toml")
    box.run("systemctl", "enable", "--now", EDGE)
    code = re.search(r"^join code\s+(\S+)$", added.stdout, re.MULTILINE)
    assert code, added.stdout
    box.write("/etc/laundryd/join.code", code[1])


def _is_serving(box: Box, unit: str, *, not_pid: str = "0") -> bool:
    return box.show(unit, "ActiveState") == "active" and box.show(unit, "MainPID") != not_pid


@pytest.mark.parametrize(
    ("unit", "words"), [(RELAY, "; broker connected"), (EDGE, "; cloud's broker connected")]
)
def test_ready_is_reached_and_the_status_tells_how_the_brokers_stand(
    box: Box, unit: str, words: str
) -> None:
    assert box.show(unit, "ActiveState") == "active"
    until(lambda: words in box.show(unit, "StatusText"), BACK_WITHIN_S, lambda: box.journal(unit))


def test_what_root_made_belongs_to_the_services_own_user(box: Box) -> None:
    for name in ("relay.toml", "keys/vapid.pem", "keys/signing.pem", "relay.db"):
        shown = box.run("stat", "-L", "-c", "%U %a", f"/var/lib/laundryd-relay/{name}").stdout
        assert shown.split() == ["laundryd-relay", "600"], name


def test_a_resident_joins_at_the_relay_and_claims_a_machine_in_the_room(box: Box) -> None:
    code = box.run("cat", "/etc/laundryd/join.code").stdout
    claimed = box.run("timeout", "30", "/opt/laundryd/bin/python", "-c", CLAIM, RELAY_URL, code)
    assert json.loads(claimed.stdout) == "claimed"


def test_the_hardening_is_in_force(box: Box) -> None:
    for unit in (RELAY, EDGE):
        status = Path("/proc") / box.show(unit, "MainPID") / "status"
        lines = dict(line.split(":", 1) for line in box.run("cat", status).stdout.splitlines())
        assert lines["NoNewPrivs"].strip() == "1"
        assert lines["Seccomp"].strip() == "2"
        assert int(lines["CapEff"], 16) == 0
        assert lines["Uid"].split()[0] != "0"


@pytest.mark.parametrize("unit", [RELAY, EDGE])
def test_a_killed_program_comes_back(box: Box, unit: str) -> None:
    pid = box.show(unit, "MainPID")
    box.run("kill", "-KILL", pid)
    until(lambda: _is_serving(box, unit, not_pid=pid), BACK_WITHIN_S, lambda: box.journal(unit))


@pytest.mark.parametrize("unit", [RELAY, EDGE])
def test_a_program_that_hangs_is_restarted_by_the_watchdog(box: Box, unit: str) -> None:
    box.write(f"/run/systemd/system/{unit}.d/soon.conf", "[Service]\nWatchdogSec=3s\n")
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "restart", unit)
    pid = box.show(unit, "MainPID")
    box.run("kill", "-STOP", pid)
    until(lambda: _is_serving(box, unit, not_pid=pid), BACK_WITHIN_S, lambda: box.journal(unit))
    assert "Watchdog timeout" in box.journal(unit)


@pytest.mark.parametrize("unit", [RELAY, EDGE])
def test_a_stop_is_clean_and_quick(box: Box, unit: str) -> None:
    started_s = time.monotonic()
    box.run("systemctl", "stop", unit)
    took_s = time.monotonic() - started_s
    assert box.show(unit, "Result") == "success"
    assert box.show(unit, "ExecMainStatus") == "0"
    box.run("systemctl", "start", unit)
    assert took_s < STOPS_WITHIN_S


def test_wrong_settings_stop_it_with_a_sentence_and_are_not_tried_again(box: Box) -> None:
    box.write("/etc/laundryd/edge.toml", f'nmae = "Basement"\n{EDGE_TOML}')
    box.run("systemctl", "restart", EDGE, check=False)
    assert box.show(EDGE, "ActiveState") == "failed"
    assert box.show(EDGE, "ExecMainStatus") == "2"
    assert "no such setting; did you mean name?" in box.journal(EDGE)
    box.write("/etc/laundryd/edge.toml", EDGE_TOML)
    box.run("systemctl", "restart", EDGE)


def test_the_journal_holds_no_secret(box: Box) -> None:
    files = ("/etc/laundryd/enrolment.toml", "/var/lib/laundryd-relay/relay.toml")
    texts = [box.run("cat", path).stdout for path in files]
    secrets = [found for text in texts for found in re.findall(r'password = "(.+)"', text)]
    assert len(secrets) == len(files)
    secrets.append(box.run("cat", "/etc/laundryd/join.code").stdout.strip())
    said = box.run("journalctl", "-a", "--no-pager").stdout
    assert [secret[:3] for secret in secrets if secret in said] == []
