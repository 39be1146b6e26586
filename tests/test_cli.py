from __future__ import annotations

import importlib

import pytest
from typer.testing import CliRunner

from laundryd.cli import PROGRAMS


@pytest.mark.parametrize("word", PROGRAMS)
def test_a_word_s_help_speaks_of_the_word_and_not_of_the_shell(word: str) -> None:
    app = importlib.import_module(PROGRAMS[word][0]).app
    said = CliRunner().invoke(app, ["--help"])
    assert said.exit_code == 0
    assert "completion" not in said.output
