"""A tiny site of the browser tests' own: a page that subscribes, a worker that shows what it gets."""

from __future__ import annotations

from aiohttp import web

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Push</title>
<p>A page that subscribes.</p>
<script>
navigator.serviceWorker.register('/worker.js');
async function subscribe(key) {
  const bytes = Uint8Array.from(
    atob(key.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
  const registration = await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.subscribe(
    {userVisibleOnly: true, applicationServerKey: bytes});
  return subscription.toJSON();
}
async function subscription() {
  const registration = await navigator.serviceWorker.ready;
  return registration.pushManager.getSubscription();
}
</script></html>"""

WORKER = """
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));
self.addEventListener('push', event => {
  const {title, body, tag} = event.data.json();
  event.waitUntil(self.registration.showNotification(title, {body, tag}));
});
self.addEventListener('notificationclick', event => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow('/?clicked'));
});
"""


class PushSite:
    """The site on loopback; ``origin`` is good once ``start`` is done."""

    def __init__(self) -> None:
        self.origin = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/worker.js", self._worker)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def _worker(self, _request: web.Request) -> web.Response:
        return web.Response(text=WORKER, content_type="text/javascript")
