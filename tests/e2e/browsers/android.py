"""A Chromium that takes itself for an Android phone's, and may register with a local FCM.

Chromium's own push service is Google's, and out of reach: what the browser itself makes of a subscription
stands in. Pushes are delivered to its service worker through DevTools.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Route

from laundryd.demo.fcm_service import FcmService

ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Mobile Safari/537.36"
)
DESKTOP = ANDROID.replace("Linux; Android 10; K", "X11; Linux x86_64").replace("Mobile ", "")
STAND_IN = """(agent) => {
    Object.defineProperty(navigator, "userAgent", { get: () => agent });
    if (!window.PushManager) return;
    const KEPT = "test.subscription";
    const filled = (length) => new Uint8Array(length).fill(4);
    const base64url = (bytes) =>
        btoa(String.fromCharCode(...bytes)).replace(/[+]/g, "-").replace(/[/]/g, "_").replace(/=/g, "");
    const found = () => {
        const kept = JSON.parse(localStorage.getItem(KEPT));
        if (kept === null) return null;
        const { endpoint, key } = kept;
        const keys = { p256dh: base64url(filled(65)), auth: base64url(filled(16)) };
        return {
            endpoint,
            expirationTime: null,
            options: { userVisibleOnly: true, applicationServerKey: Uint8Array.from(key).buffer },
            getKey: (name) => filled(name === "auth" ? 16 : 65).buffer,
            toJSON: () => ({ endpoint, expirationTime: null, keys }),
            unsubscribe: async () => { localStorage.removeItem(KEPT); return true; },
        };
    };
    PushManager.prototype.getSubscription = async () => found();
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
        if (found() !== null) throw new DOMException("subscribed already", "InvalidStateError");
        const endpoint = `https://push.example/${crypto.randomUUID()}`;
        localStorage.setItem(KEPT, JSON.stringify({ endpoint, key: [...applicationServerKey] }));
        return found();
    };
}"""


async def stand_in(
    context: BrowserContext,
    address: str,
    foreign: Callable[[Route], Awaitable[None]],
    *,
    agent: str = ANDROID,
) -> None:
    """Let a browser take itself for ``agent``; ``foreign`` answers what it asks but of ``address``."""
    await context.add_init_script(f"({STAND_IN})({agent!r})")
    await context.route(lambda url: not url.startswith(address), foreign)


async def lead_to(fcm: FcmService, route: Route) -> None:
    """Answer what Google's library asks of Google as the local FCM does."""
    answer = await route.fetch(url=f"{fcm.origin}{urlsplit(route.request.url).path}")
    shared = {"access-control-allow-origin": "*"}
    await route.fulfill(response=answer, headers={**answer.headers, **shared})
