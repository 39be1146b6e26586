"""Where apps register: Firebase Installations and FCM's registrations, as Google's JavaScript library asks.

Its addresses there are fixed; a test's browser leads them here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from aiohttp import web

from laundryd.demo.fcm_account import PROJECT_ID

INSTALLATIONS = f"/v1/projects/{PROJECT_ID}/installations"
REGISTRATIONS = f"/v1/projects/{PROJECT_ID}/registrations"
_KEYS = ("endpoint", "auth", "p256dh")


class FcmRegistrations:
    """The tokens that are good, and who has them.

    Attributes:
        asked: each request of an app: ``install``, ``register``, ``renew`` or ``unregister``.

    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.asked: list[str] = []
        self._on_change = on_change
        self._tokens: set[str] = set()
        self._installed: set[str] = set()

    def __contains__(self, token: str) -> bool:
        """Tell whether a token is good."""
        return token in self._tokens

    def new_token(self) -> str:
        """Register an app on a device: return its token."""
        token = f"{secrets.token_urlsafe(16)}:APA91b{secrets.token_urlsafe(96)}"
        self._tokens.add(token)
        return token

    def forget(self, token: str) -> None:
        """Forget a token; a second time is no error."""
        self._tokens.discard(token)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve what an app asks."""
        router.add_post(INSTALLATIONS, self._install)
        router.add_post(REGISTRATIONS, self._register)
        router.add_patch(REGISTRATIONS + "/{token}", self._renew)
        router.add_delete(REGISTRATIONS + "/{token}", self._unregister)

    async def _install(self, request: web.Request) -> web.Response:
        self._note("install")
        if not request.headers.get("x-goog-api-key"):
            return _refused("no API key")
        fid = str((await request.json())["fid"])
        auth = secrets.token_urlsafe(32)
        self._installed.add(auth)
        return web.json_response(
            {
                "fid": fid,
                "refreshToken": secrets.token_urlsafe(32),
                "authToken": {"token": auth, "expiresIn": "604800s"},
            }
        )

    async def _register(self, request: web.Request) -> web.Response:
        self._note("register")
        browser = (await request.json()).get("web", {})
        if not self._admits(request) or not all(browser.get(key) for key in _KEYS):
            return _refused("not a browser that was installed")
        return web.json_response({"token": self.new_token()})

    async def _renew(self, request: web.Request) -> web.Response:
        self._note("renew")
        token = request.match_info["token"]
        if not self._admits(request) or token not in self:
            return _refused("no such token")
        return web.json_response({"token": token})

    async def _unregister(self, request: web.Request) -> web.Response:
        self._note("unregister")
        if not self._admits(request):
            return _refused("not a browser that was installed")
        self.forget(request.match_info["token"])
        return web.json_response({})

    def _admits(self, request: web.Request) -> bool:
        auth = request.headers.get("x-goog-firebase-installations-auth", "")
        return auth.removeprefix("FIS ") in self._installed

    def _note(self, what: str) -> None:
        self.asked.append(what)
        self._on_change()


def _refused(why: str) -> web.Response:
    return web.json_response({"error": {"code": 400, "message": why}}, status=400)
