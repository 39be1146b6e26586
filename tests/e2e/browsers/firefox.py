"""Firefox, as the distribution ships it, driven over WebDriver BiDi: a page, push, notifications.

Firefox shows notifications in windows of its own here, and privileged JavaScript reads and clicks
them, so that a test sees what a resident would. Source: https://w3c.github.io/webdriver-bidi/.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from websockets.asyncio.client import connect

from tests.e2e.browsers.bidi import ANSWER_WITHIN_S, BidiConnection, BidiError, JsonValue
from tests.e2e.browsers.firefox_process import (
    START_WITHIN_S,
    FirefoxError,
    FirefoxProcess,
    Preference,
)

END_WITHIN_S = 30.0
POLL_S = 0.05

# Runs `action(window)` for each notification on the screen; returns the title and body of each.
NOTIFICATIONS_JS = """async (wanted, action) => {
  const shown = [];
  for (const alert of Services.wm.getEnumerator('alert:alert')) {
    if (alert.document.readyState !== 'complete') continue;
    const text = id => {
      const label = alert.document.getElementById(id);
      return label.value || label.textContent;
    };
    const title = text('alertTitleLabel');
    shown.push({title, body: text('alertTextLabel')});
    if (action && title === wanted) { alert[action](); break; }
  }
  return JSON.stringify(shown);
}"""


@dataclass(frozen=True, slots=True)
class ShownNotification:
    """What stands on the screen in one notification."""

    title: str
    body: str


class Firefox:
    """One running Firefox with one page; made by ``launch``, ended by ``quit`` or ``kill``."""

    def __init__(self, process: FirefoxProcess, bidi: BidiConnection) -> None:
        self.bidi = bidi
        self.page = ""  # the page's browsing context, once it is known
        self._process = process
        self._window = ""  # the browser's own window, where privileged JavaScript runs

    @classmethod
    async def launch(cls, profile: Path, preferences: Mapping[str, Preference]) -> Self:
        """Start Firefox on a profile, new or kept from before.

        Raises:
            BrowserMissingError: there is no Firefox on this computer.
            FirefoxError: it did not come up within ``START_WITHIN_S``; with its last words.
        """
        process = await FirefoxProcess.start(profile, preferences)
        try:
            url = await process.bidi_url()
            socket = await connect(
                f"{url}/session", max_size=None, proxy=None, open_timeout=START_WITHIN_S
            )
        except BaseException:
            await process.end()
            raise
        firefox = cls(process, BidiConnection(socket))
        try:
            await firefox.bidi.command("session.new", capabilities={})
            firefox.page = await firefox._first_context()
            firefox._window = await firefox._first_context(**{"moz:scope": "chrome"})
        except BaseException:
            await firefox.kill()
            raise
        return firefox

    async def goto(self, url: str) -> None:
        """Open ``url`` in the page and wait until it has loaded."""
        await self.bidi.command(
            "browsingContext.navigate", context=self.page, url=url, wait="complete"
        )

    async def js(self, expression: str, *, as_user: bool = False) -> JsonValue:
        """Return the JSON value of an expression in the page; a promise is awaited.

        Args:
            expression: JavaScript; what it gives must be JSON, or undefined, which is None.
            as_user: counts as a user's gesture, which a permission prompt needs.

        Raises:
            BidiError: the expression threw.
        """
        function = f"async () => JSON.stringify(await ({expression}))"
        return await self.bidi.call(function, self.page, as_user=as_user)

    async def wait_for(self, expression: str, timeout_s: float = ANSWER_WITHIN_S) -> JsonValue:
        """Wait until an expression in the page is truthy, and return it.

        Raises:
            TimeoutError: it was not within ``timeout_s``.
        """
        deadline = time.monotonic() + timeout_s
        while not (value := await self.js(expression)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not true in the page within {timeout_s} s: {expression}")
            await asyncio.sleep(POLL_S)
        return value

    async def grant(self, origin: str, state: str = "granted") -> None:
        """Answer the notification permission of ``origin``: granted, denied or prompt."""
        await self.bidi.command(
            "permissions.setPermission",
            descriptor={"name": "notifications"},
            state=state,
            origin=origin,
        )

    async def close_page(self) -> None:
        """Close the page; Firefox goes on with a blank one, so that only its worker is left."""
        closed = self.page
        created = await self.bidi.command("browsingContext.create", type="tab")
        self.page = str(created["context"])
        await self.bidi.command("browsingContext.close", context=closed)

    async def adopt_page(self, url: str, timeout_s: float = ANSWER_WITHIN_S) -> None:
        """Wait until some page is at ``url``, as after a click, and go on with that page.

        Raises:
            TimeoutError: none was within ``timeout_s``.

        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            tree = await self.bidi.command("browsingContext.getTree")
            contexts = tree["contexts"]
            for context in contexts if isinstance(contexts, list) else []:
                if isinstance(context, dict) and context["url"] == url:
                    self.page = str(context["context"])
                    return
            await asyncio.sleep(POLL_S)
        raise TimeoutError(f"no page at {url} within {timeout_s} s")

    async def profile_kept(self, origin: str) -> None:
        """Wait until the profile on disk is one that outlives ``kill``; see FirefoxProcess."""
        await self._process.profile_kept(origin)

    async def shown_notifications(self) -> list[ShownNotification]:
        """Return what is on the screen now; a notification stays for 20 s."""
        return await self._notifications()

    async def notification(
        self, title: str, timeout_s: float = ANSWER_WITHIN_S
    ) -> ShownNotification:
        """Wait until a notification with this title is on the screen.

        Raises:
            TimeoutError: none was within ``timeout_s``; the text names those that were.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            shown = await self._notifications()
            for one in shown:
                if one.title == title:
                    return one
            if time.monotonic() > deadline:
                raise TimeoutError(f"no notification {title!r} within {timeout_s} s, but {shown}")
            await asyncio.sleep(POLL_S)

    async def click_notification(self, title: str) -> None:
        """Click the notification with this title, once it is on the screen."""
        await self.notification(title)
        await self._notifications(title, "onAlertClick")

    async def dismiss_notification(self, title: str) -> None:
        """Close the notification with this title, once it is on the screen."""
        await self.notification(title)
        await self._notifications(title, "onAlertClose")

    async def quit(self) -> None:
        """End as a user would, so that the profile is written; killed if that takes too long."""
        with contextlib.suppress(TimeoutError, BidiError):
            async with asyncio.timeout(END_WITHIN_S):
                await self.bidi.command("browser.close")
                await self._process.ended()
        await self.kill()

    async def kill(self) -> None:
        """End at once with SIGKILL, as a power cut would; after its end: no error."""
        await self._process.end()
        await self.bidi.close()

    async def _first_context(self, **scope: str) -> str:
        match await self.bidi.command("browsingContext.getTree", **scope):
            case {"contexts": [{"context": str(context)}, *_]}:
                return context
            case tree:
                raise FirefoxError(f"Firefox has no window: {tree}")

    async def _notifications(
        self, wanted: str | None = None, action: str | None = None
    ) -> list[ShownNotification]:
        shown = await self.bidi.call(NOTIFICATIONS_JS, self._window, (wanted, action))
        return [
            ShownNotification(title=str(one["title"]), body=str(one["body"]))
            for one in (shown if isinstance(shown, list) else [])
            if isinstance(one, dict)
        ]
