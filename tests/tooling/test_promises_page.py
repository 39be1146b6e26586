"""The page of what prevents which loss: what it names exists, and every twin stands on it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tools.dev.layout import ROOT

PAGE = ROOT / "docs" / "promises.md"
TESTS = ROOT / "tests"
TEST = re.compile(r"`([a-z0-9_/]+\.py)::(\w+)`")
FILE = re.compile(r"`([a-z0-9_/]+\.py)`")
BOTH = re.compile(r"\bis_on\b|\bloses\(|'NORMAL'")
"""What a test that plays both says: the fixture that switches off, or its own way to."""
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
TWIN_FILES = re.compile(r"test_(client_)?twins\.py")


@cache
def functions_in(file: Path) -> dict[str, str]:
    """Return the functions of a file and their sources, with what decorates them."""
    text = file.read_text(encoding="utf-8")
    return {
        node.name: ast.unparse(node) for node in ast.parse(text).body if isinstance(node, FUNCTION)
    }


def rows() -> Iterator[list[str]]:
    """Return the rows of all tables, without their heads."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "mechanism":
            yield cells


ROWS = list(rows())


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_what_exists(row: list[str]) -> None:
    assert len(row) in {3, 5}
    for file in FILE.findall(row[1]):
        assert (ROOT / file).is_file() or "/" not in file, file
    assert FILE.findall(row[1])
    for cell in row[2 if len(row) == 3 else 3 :]:
        named = TEST.findall(cell)
        assert named or cell == "the same", f"no test: {cell!r}"
        for file, test in named:
            assert test in functions_in(TESTS / file), f"{file} has no {test}"


@pytest.mark.parametrize("row", [row for row in ROWS if len(row) == 5], ids=lambda row: row[0])
def test_a_twin_is_another_test_or_plays_both(row: list[str]) -> None:
    *_, test, twin = row
    if twin in {"the same", test}:
        [(file, name)] = TEST.findall(test)
        assert BOTH.search(functions_in(TESTS / file)[name]), name


def test_every_twin_stands_on_the_page() -> None:
    named = set(TEST.findall(PAGE.read_text(encoding="utf-8")))
    twins = {
        (str(file.relative_to(TESTS)), name)
        for file in TESTS.rglob("*.py")
        if TWIN_FILES.fullmatch(file.name)
        for name in functions_in(file)
        if name.startswith("test_")
    }
    assert twins
    assert sorted(twins - named) == []
