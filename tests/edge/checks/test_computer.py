from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.checks.computer import (
    CertificateSight,
    DatabaseSight,
    FolderSight,
    PageSight,
    judge_certificate,
    judge_clock,
    judge_database,
    judge_folder,
    judge_page,
)
from edge.checks.finding import Level, fail, has_failed, ok, warn

MB = 1024 * 1024
PLACE = Path("/var/lib/laundryd-edge")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(("year", "level"), [(1970, "FAIL"), (2026, "ok"), (2150, "FAIL")])
def test_a_clock_that_cannot_be_right_is_told(year: int, level: str) -> None:
    found = judge_clock(datetime(year, 1, 1, tzinfo=UTC))
    assert found.level == level
    assert str(year) in found.line()


@pytest.mark.parametrize(
    ("seen", "level", "said"),
    [
        (FolderSight(PLACE, True, None, 900 * MB), Level.OK, "900 MiB free"),
        (FolderSight(PLACE, False, None, None), Level.OK, "will be made"),
        (FolderSight(PLACE, True, None, 40 * MB), Level.WARN, "may grow to 64 MiB"),
        (FolderSight(PLACE, True, None, 3 * MB), Level.FAIL, "free some of the disk"),
        (FolderSight(PLACE, True, "Read-only file system", 900 * MB), Level.FAIL, "Read-only"),
        (FolderSight(PLACE, True, None, 900 * MB, ["room.db"]), Level.FAIL, "room.db"),
        (FolderSight(PLACE, True, None, 900 * MB, [], ["x.damaged-1Z"]), Level.WARN, "x.damaged"),
    ],
)
def test_a_folder_is_judged_by_the_worst_that_is_seen(
    seen: FolderSight, level: Level, said: str
) -> None:
    worst = judge_folder(seen, 64 * MB)[-1]
    assert worst.level is level
    assert said in worst.line()


@pytest.mark.parametrize(
    ("seen", "level", "said"),
    [
        (DatabaseSight(PLACE, None), "ok", "will be made"),
        (DatabaseSight(PLACE, MB, 3), "ok", "1.0 MiB, reads well"),
        (DatabaseSight(PLACE, MB, 2), "ok", "from schema 2 to 3"),
        (DatabaseSight(PLACE, MB, 4), "FAIL", "run the newer version"),
        (DatabaseSight(PLACE, MB, 3, "it is damaged"), "FAIL", "put a backup in its place"),
    ],
)
def test_a_database_is_judged_by_damage_and_schema(
    seen: DatabaseSight, level: str, said: str
) -> None:
    found = judge_database(seen, 3)
    assert found.level == level
    assert said in found.line()


@pytest.mark.parametrize(
    ("seen", "level", "said"),
    [
        (PageSight(None), "ok", "which is free"),
        (PageSight("cannot listen"), "FAIL", "end what holds the port"),
        (PageSight(None, is_edge=True), "ok", "already"),
        (PageSight(None, is_edge=True, store_trouble="its disk is full"), "FAIL", "in memory: its"),
    ],
)
def test_a_page_that_an_edge_serves_already_is_no_fault(
    seen: PageSight, level: str, said: str
) -> None:
    found = judge_page(seen, "http://0.0.0.0:8080")
    assert found.level == level
    assert said in found.line()


@pytest.mark.parametrize(
    ("before_days", "after_days", "level"),
    [(-30, 60, "ok"), (-60, 20, "warn"), (-90, 0, "FAIL"), (1, 90, "FAIL")],
)
def test_a_certificate_is_judged_by_its_dates(
    before_days: int, after_days: int, level: str
) -> None:
    seen = CertificateSight(NOON + timedelta(days=before_days), NOON + timedelta(days=after_days))
    assert judge_certificate(seen, NOON).level == level


def test_a_line_holds_its_level_and_no_control_characters() -> None:
    found = fail("plug", "\x1b[2J\nhello", "look")
    assert found.line() == "FAIL  plug: [2Jhello; look"
    assert has_failed([ok("a", "b"), found])
    assert not has_failed([ok("a", "b"), warn("a", "b", "c")])
