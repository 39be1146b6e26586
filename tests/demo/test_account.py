from __future__ import annotations

from datetime import UTC, datetime

import pytest

from laundryd.demo.account import WHAT_HAPPENED, Account
from laundryd.demo.sightings import How, Sighting
from laundryd.wire.machines import MachineKind, MachineView
from laundryd.wire.phases import Cause, Phase, Sensor

AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def event(cause: Cause, *, subject: str = "e:1", sensor: Sensor = Sensor.OK) -> Sighting:
    view = MachineView(
        machine="w1",
        kind=MachineKind.WASHER,
        name="Washer 1",
        phase=Phase.FREE,
        since=AT,
        sensor=sensor,
    )
    return Sighting("Mina", How.EDGE, "event", cause, "w1", subject, AT.timestamp(), AT, view=view)


def test_every_cause_has_its_sentence() -> None:
    assert set(WHAT_HAPPENED) == set(Cause)


def test_an_event_that_two_residents_see_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    account = Account()
    account.owners["w1"] = "Mina"
    account.saw(event(Cause.CLAIMED))
    account.saw(event(Cause.CLAIMED))
    (line,) = capsys.readouterr().out.splitlines()
    assert "Washer 1" in line
    assert "Mina is on the way" in line


def test_a_machine_of_nobody_we_know_is_a_residents(capsys: pytest.CaptureFixture[str]) -> None:
    Account().saw(event(Cause.CLAIMED))
    assert "a resident is on the way" in capsys.readouterr().out


def test_a_notice_says_who_was_told_how_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    text = "[Dryer 1] is done."
    Account().saw(
        Sighting("Sora", How.PUSH, "notice", "done", "d1", "id", AT.timestamp(), text=text)
    )
    line = capsys.readouterr().out
    assert "Sora is told by an encrypted push" in line
    assert text in line


def test_a_plug_is_news_only_once_it_was_heard(capsys: pytest.CaptureFixture[str]) -> None:
    account = Account()
    for number, sensor in enumerate((Sensor.SILENT, Sensor.OK, Sensor.SILENT, Sensor.OK)):
        account.saw(event(Cause.SENSOR_CHANGED, subject=f"e:{number}", sensor=sensor))
    lines = capsys.readouterr().out.splitlines()
    assert [line.rsplit(" ", 1)[1] for line in lines] == ["silent", "ok"]
