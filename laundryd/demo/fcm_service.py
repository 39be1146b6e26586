"""FCM on this computer: it stands in for Google's, for the relay's FCM sender, without internet.

It checks the bearer, which its own token endpoint gave for the service account's signature, and the
message's form, keeps what a device would get, and answers as told.

By hand: ``python -m laundryd.demo.fcm_service --folder DIR`` writes a service account there, prints the
settings with which a relay sends here and a registration token, and then each message. ``--answer
QUOTA_EXCEEDED --retry-after 5`` (or UNREGISTERED, UNAVAILABLE, SENDER_ID_MISMATCH, INVALID_ARGUMENT,
INTERNAL, hang, drop) answers every message so.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from laundryd.demo.fcm_account import ACCESS_S, PROJECT_ID, SENDER_ID, FcmAccount, NoAccessError
from laundryd.demo.fcm_message_check import FcmMessage, MalformedError, read_message
from laundryd.demo.fcm_registration import FcmRegistrations

LOOPBACK = "127.0.0.1"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"

ERRORS: Final[Mapping[str, tuple[int, str]]] = {
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT"),
    "THIRD_PARTY_AUTH_ERROR": (401, "UNAUTHENTICATED"),
    "SENDER_ID_MISMATCH": (403, "PERMISSION_DENIED"),
    "UNREGISTERED": (404, "NOT_FOUND"),
    "QUOTA_EXCEEDED": (429, "RESOURCE_EXHAUSTED"),
    "INTERNAL": (500, "INTERNAL"),
    "UNAVAILABLE": (503, "UNAVAILABLE"),
}
"""FCM's error codes: the HTTP status, and Google's own code beside it.

https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
"""


WEB: Final[Mapping[str, str]] = {
    "api_key": "k" * 39,
    "app_id": "1:123456789012:web:0123456789abcdef",
    "sender_id": SENDER_ID,
    "vapid_key": "B" + "E" * 86,
}
"""The public half of the project, as the relay's settings name it."""


@dataclass(frozen=True, slots=True)
class FcmAnswer:
    """An answer that a test orders in place of the real one.

    Args:
        error: one of ``ERRORS``.
        bare: Google's own code alone, without FCM's beside it.
        headers: added to the answer, ``{"Retry-After": "2"}``.
        delivered: the message is taken all the same, as when an answer is lost on its way.
        hangs: nothing is answered until ``FcmService.release`` or ``stop``.
        drops: the connection is lost before a word of the answer.

    """

    error: str = "UNAVAILABLE"
    bare: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    delivered: bool = False
    hangs: bool = False
    drops: bool = False


@dataclass(frozen=True, slots=True)
class FcmPost:
    """One request to send and what became of it: ``message`` None: nothing was taken, ``reason`` why."""

    authorization: str
    status: int
    message: FcmMessage | None = None
    reason: str = ""


class FcmService:
    """The service, of one project with one service account; use it as an asynchronous context manager.

    Attributes:
        account: the service account; ``key_file`` writes what a relay is given of it.
        apps: the registration tokens, and what apps ask for them.
        posts: every request to send, in order.
        grants: how many access tokens were asked for.
        refuses_account: no access token is given any more, as if the service account were deleted.

    """

    def __init__(self) -> None:
        self.account = FcmAccount()
        self.posts: list[FcmPost] = []
        self.grants = 0
        self.refuses_account = False
        self.apps = FcmRegistrations(self._notify)
        self._ordered: list[FcmAnswer] = []
        self._standing: FcmAnswer | None = None
        self._released = asyncio.Event()
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def origin(self) -> str:
        """Where it is: the relay's ``testing.fcm_origin``."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def messages(self) -> list[FcmMessage]:
        """What was taken, in order."""
        return [post.message for post in self.posts if post.message is not None]

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; 0 takes a free port, or after a ``stop`` the former one.

        Raises:
            OSError: the port is taken.

        """
        app = web.Application()
        app.router.add_post("/token", self._grant)
        app.router.add_post("/v1/projects/{project}/messages:send", self._send)
        self.apps.add_routes(app.router)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, port or self._port).start()
        self._port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close every connection and the port; twice is no error."""
        runner, self._runner = self._runner, None
        if runner is not None:
            self.release()
            await runner.cleanup()

    def key_file(self, folder: Path) -> Path:
        """Write the service account's key file into ``folder``; ``start`` the service before."""
        return self.account.key_file(folder / "service-account.json", f"{self.origin}/token")

    def settings(self, folder: Path) -> dict[str, object]:
        """Return the relay's table ``fcm``; the key file is written into ``folder``."""
        return {"service_account": str(self.key_file(folder)), **WEB}

    def new_token(self) -> str:
        """Register an app on a device: return its token."""
        return self.apps.new_token()

    def forget(self, token: str) -> None:
        """Forget a token, as FCM does after 270 days: it is UNREGISTERED from now on."""
        self.apps.forget(token)

    def answer_next(self, *answers: FcmAnswer) -> None:
        """Order answers for the next messages, one each."""
        self._ordered.extend(answers)

    def answer_always(self, answer: FcmAnswer | None) -> None:
        """Order one answer for every message until None ends it; those of ``answer_next`` go first."""
        self._standing = answer

    def release(self) -> None:
        """Let every answer go that hangs now."""
        self._released.set()
        self._released = asyncio.Event()

    async def until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait until ``condition`` holds, asking again whenever something happened here.

        Raises:
            TimeoutError: it did not hold within ``timeout_s``; the text says ``what`` was awaited.

        """
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"{what}: not within {timeout_s} s at FCM") from None

    async def changed(self) -> None:
        """Wait until something happens here."""
        await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _grant(self, request: web.Request) -> web.Response:
        self.grants += 1
        try:
            if self.refuses_account:
                raise NoAccessError("invalid_grant")  # noqa: TRY301 -- as a bad signature
            token = self.account.grant(await request.post())
        except NoAccessError as error:
            return web.json_response({"error": str(error)}, status=400)
        answer = {"access_token": token, "expires_in": ACCESS_S, "token_type": "Bearer"}
        return web.json_response(answer)

    async def _send(self, request: web.Request) -> web.Response:
        authorization = request.headers.get("Authorization", "")
        ordered = self._ordered.pop(0) if self._ordered else self._standing
        status, message, reason, answer = 200, None, "", web.Response()
        try:
            message = await self._judged(request)
            if ordered is not None:
                raise _Refused(ordered.error, "as ordered", ordered)  # noqa: TRY301 -- one way out
            answer = web.json_response(
                {"name": f"projects/{PROJECT_ID}/messages/{len(self.posts)}"}
            )
        except _Refused as refused:
            message = message if refused.delivered else None
            reason, answer = str(refused), refused.answer()
            status = answer.status
        self.posts.append(FcmPost(authorization, status, message, reason))
        self._notify()
        if ordered is not None and ordered.hangs:
            await self._released.wait()
        if ordered is not None and ordered.drops and request.transport is not None:
            request.transport.abort()
        return answer

    async def _judged(self, request: web.Request) -> FcmMessage:
        if not self.account.admits(request.headers.get("Authorization", "")):
            raise _Refused("UNAUTHENTICATED", "no valid bearer")
        if request.match_info["project"] != PROJECT_ID:
            raise _Refused("PERMISSION_DENIED", "another project")
        try:
            body = await request.json()
            message = read_message(body, sender_id=SENDER_ID, message_id=str(len(self.posts)))
        except (MalformedError, ValueError) as error:
            raise _Refused("INVALID_ARGUMENT", str(error)) from error
        if message.token not in self.apps:
            raise _Refused("UNREGISTERED", "no such token")
        return message


_BARE: Final[Mapping[str, int]] = {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403}
"""What Google's front door says, before FCM has a word."""


class _Refused(Exception):  # noqa: N818 -- an answer, not an error of ours
    def __init__(self, code: str, reason: str, ordered: FcmAnswer | None = None) -> None:
        super().__init__(reason)
        self._code = code
        self._ordered = ordered or FcmAnswer(code, bare=code in _BARE)
        self.delivered = self._ordered.delivered

    def answer(self) -> web.Response:
        """Return it as Google writes it (https://cloud.google.com/apis/design/errors)."""
        status, name = ERRORS.get(self._code) or (_BARE[self._code], self._code)
        error: dict[str, object] = {"code": status, "message": str(self), "status": name}
        if not self._ordered.bare:
            error["details"] = [{"@type": FCM_ERROR, "errorCode": self._code}]
        return web.json_response(
            {"error": error}, status=status, headers=dict(self._ordered.headers)
        )


BY_HAND = {"hang": FcmAnswer(hangs=True), "drop": FcmAnswer(drops=True)}
"""What else than an error may be answered by hand, by its word."""


def _standing(arguments: argparse.Namespace) -> FcmAnswer | None:
    if arguments.answer is None or arguments.answer in BY_HAND:
        return BY_HAND.get(arguments.answer or "")
    wait = {} if arguments.retry_after is None else {"Retry-After": arguments.retry_after}
    return FcmAnswer(arguments.answer, headers=wait)


async def _run_by_hand(arguments: argparse.Namespace) -> None:
    service = FcmService()
    await service.start(arguments.port)
    service.answer_always(_standing(arguments))
    try:
        said = [
            f'fcm.{key} = "{value}"' for key, value in service.settings(arguments.folder).items()
        ]
        said += [f'testing.fcm_origin = "{service.origin}"', f"token: {service.new_token()}"]
        print("\n".join(said), flush=True)  # noqa: T201 - what it was started for
        seen = 0
        while True:
            await service.changed()
            for post in service.posts[seen:]:
                print(dataclasses.asdict(post), flush=True)  # noqa: T201 - the same
            seen = len(service.posts)
    finally:
        await service.stop()


def main() -> None:
    """Run the service with one registration until Ctrl-C."""
    parser = argparse.ArgumentParser(description="FCM on this computer, with one registration.")
    parser.add_argument("--folder", type=Path, required=True, help="for the service account's file")
    parser.add_argument("--port", type=int, default=0, help="TCP port on loopback; 0: a free one")
    parser.add_argument("--answer", choices=[*ERRORS, *BY_HAND], help="answer every message so")
    parser.add_argument("--retry-after", metavar="S", help="with --answer: the header Retry-After")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run_by_hand(arguments))


if __name__ == "__main__":
    main()
