from __future__ import annotations

import pytest

from tests.e2e.browsers.finding import BrowserMissingError, browser_path


def test_a_missing_browser_is_said_with_what_to_run() -> None:
    with pytest.raises(BrowserMissingError, match=r"no-such-browser is not installed: run \./dev"):
        browser_path(("no-such-browser",))


def test_the_first_installed_program_is_taken() -> None:
    assert browser_path(("no-such-browser", "sh")).endswith("/sh")
