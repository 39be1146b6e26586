import sys

import pytest

from tools.dev import layout, progress
from tools.dev.errors import Trouble
from tools.dev.progress import run_step


@pytest.fixture(autouse=True)
def logs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("logs")
    monkeypatch.setattr(progress, "LOGS", folder)
    monkeypatch.setattr(progress, "ROOT", folder.parent)


def step(code: str) -> None:
    run_step("a step", (sys.executable, "-c", code), log_as="step", cwd=layout.ROOT)


def test_a_step_tells_its_start_and_its_end_on_stderr_only(
    capfd: pytest.CaptureFixture[str],
) -> None:
    step("print('chatter')")
    out, err = capfd.readouterr()
    assert out == ""
    assert "a step\n" in err
    assert "ok a step (" in err
    assert "chatter" not in err


def test_a_failed_step_shows_its_output_and_where_the_log_is(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Trouble, match=r"exit code 3.*step\.log"):
        step("import sys; print('the reason'); sys.exit(3)")
    assert "the reason" in capfd.readouterr().err


def test_a_long_step_says_that_it_still_runs(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LINE_BEAT_S", 0.5)
    step("import time; time.sleep(1.5)")
    assert "still running" in capfd.readouterr().err


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(Trouble, match="no-such-program could not be started"):
        run_step("a step", ("no-such-program",), log_as="step", cwd=layout.ROOT)
