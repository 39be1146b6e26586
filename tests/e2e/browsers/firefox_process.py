"""The process and the profile of one Firefox."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from tests.e2e.browsers.finding import FIREFOX, browser_path

Preference = bool | int | str

START_WITHIN_S = 90.0
KEPT_WITHIN_S = 60.0
POLL_S = 0.05
LAST_WORDS = 2000

PREFERENCES: dict[str, Preference] = {
    "alerts.useSystemBackend": False,  # its own windows, not the desktop's D-Bus service
    "ui.prefersReducedMotion": 1,  # a notification then stays for 20 s, without animation
    "dom.push.connection.enabled": True,  # remote control switches it off
    "dom.push.testing.allowInsecureServerURL": True,  # else only wss: is accepted
    "dom.push.retryBaseInterval": 200,  # ms until it tries a lost push service again
    "browser.startup.page": 0,
    "browser.startup.homepage": "about:blank",
    "browser.newtabpage.enabled": False,  # about:newtab is privileged: no page can be opened over it
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "termsofuse.bypassNotification": True,
    # What would call home.
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.blockedURIs.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
}


class FirefoxError(Exception):
    """Firefox did not start, or has no window."""


class FirefoxProcess:
    """A running Firefox; its output goes to ``firefox.log`` in the profile."""

    def __init__(self, process: asyncio.subprocess.Process, profile: Path) -> None:
        self._process = process
        self._profile = profile

    @classmethod
    async def start(cls, profile: Path, preferences: Mapping[str, Preference]) -> Self:
        """Start it on a profile, new or kept from before.

        Raises:
            BrowserMissingError: there is no Firefox on this computer.

        """
        binary = browser_path(FIREFOX)
        await asyncio.to_thread(_write_profile, profile, {**PREFERENCES, **preferences})
        with (profile / "firefox.log").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                binary,
                *("--headless", "--no-remote", "--profile", str(profile)),
                *("--remote-debugging-port", "0", "--remote-allow-system-access"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "HOME": str(profile)},
                start_new_session=True,  # so that its helpers can be ended with it
            )
        return cls(process, profile)

    async def bidi_url(self) -> str:
        """Wait until it listens for WebDriver BiDi, and return where.

        Raises:
            FirefoxError: it ended, or does not listen after ``START_WITHIN_S``; with its last words.

        """
        found: str | None = None

        def listens() -> bool:
            nonlocal found
            said = _read(self._profile / "firefox.log")
            match = re.search(r"WebDriver BiDi listening on (ws://\S+)", said)
            found = match[1] if match else None
            return found is not None or self._process.returncode is not None

        with contextlib.suppress(TimeoutError):
            await _until(listens, START_WITHIN_S)
        if found is None:
            said = _read(self._profile / "firefox.log")[-LAST_WORDS:]
            state = f"ended with {self._process.returncode}"
            if self._process.returncode is None:
                state = f"does not listen after {START_WITHIN_S} s"
            raise FirefoxError(f"Firefox {state}: {said}")
        return found

    async def profile_kept(self, origin: str) -> None:
        """Wait until the profile's files know the worker of ``origin`` and who we are for push.

        Firefox writes them within seconds; killed before that, it never subscribed.

        Raises:
            TimeoutError: they did not within ``KEPT_WITHIN_S``.

        """
        await _until(
            lambda: (
                origin in _read(self._profile / "serviceworker.txt")
                and "dom.push.userAgentID" in _read(self._profile / "prefs.js")
            ),
            KEPT_WITHIN_S,
        )

    async def ended(self) -> None:
        """Wait until it has ended by itself."""
        await self._process.wait()

    async def end(self) -> None:
        """Kill it, and its helpers, which would hold the profile; after its end: no error."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()


def _write_profile(profile: Path, preferences: Mapping[str, Preference]) -> None:
    profile.mkdir(parents=True, exist_ok=True)
    lines = [
        f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
        for name, value in preferences.items()
    ]
    (profile / "user.js").write_text("".join(lines))


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except FileNotFoundError:
        return ""


async def _until(condition: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Firefox was not as awaited within {timeout_s} s")
        await asyncio.sleep(POLL_S)
