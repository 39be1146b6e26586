"""The app's service worker in Chromium, whose pushes come through DevTools."""

from __future__ import annotations

from playwright.async_api import CDPSession

ACTIVE = "navigator.serviceWorker.getRegistration().then((r) => r?.active?.state === 'activated')"
"""Until then a worker loses what DevTools hands to it."""


class Worker:
    """The worker of the pages at ``origin``; ``find`` it first."""

    def __init__(self, session: CDPSession, origin: str) -> None:
        self._session, self._origin = session, origin
        self._registration = ""

    async def find(self) -> None:
        """Wait until DevTools knows it."""
        found: list[str] = []

        def updated(event: dict[str, list[dict[str, str]]]) -> None:
            found.extend(one["registrationId"] for one in event["registrations"])

        self._session.on("ServiceWorker.workerRegistrationUpdated", updated)
        await self._session.send("ServiceWorker.enable")
        while not found:
            await self._session.send("ServiceWorker.enable")
        self._registration = found[0]

    async def deliver(self, text: str) -> None:
        """Hand a push's decrypted content to it."""
        push = {"origin": self._origin, "registrationId": self._registration, "data": text}
        await self._session.send("ServiceWorker.deliverPushMessage", push)
