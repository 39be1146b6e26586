"""Where the browsers are."""

from __future__ import annotations

import shutil

FIREFOX = ("firefox-esr", "firefox")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable")


class BrowserMissingError(Exception):
    """A browser that the tests need is not installed; the text says what to run."""


def browser_path(programs: tuple[str, ...]) -> str:
    """Return the path of the first of ``programs`` that is installed.

    Raises:
        BrowserMissingError: none is.
    """
    for program in programs:
        if path := shutil.which(program):
            return path
    raise BrowserMissingError(
        f"{programs[0]} is not installed: run ./dev test, which installs what the tests need"
    )
