"""The FCM sender: firebase-admin in threads of its own, without its own retries, judged by our table.

Only a relay with an FCM configuration imports this module: the library costs some 20 MB.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self, TypeVar

import firebase_admin
import requests
from firebase_admin import credentials, exceptions, messaging
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import AuthorizedSession, Request
from requests.adapters import HTTPAdapter

from cloud_relay.errors import SetupError
from cloud_relay.push.fcm_message import fcm_message
from cloud_relay.push.lanes import PLACES
from cloud_relay.push.outcomes import Result, parse_retry_after, result_of
from cloud_relay.push.service_account import ServiceAccount
from cloud_relay.push.subscriptions import Subscription
from cloud_relay.push.webpush import TIMEOUT_S
from laundryd.daemon.clock import Clock
from laundryd.wire.notices import NoticeCard

QUOTA_WAIT_S: Final = 60.0
"""What FCM asks for where a QUOTA_EXCEEDED names no ``Retry-After``."""

Done = TypeVar("Done")


class FcmSender:
    """Sends to FCM's HTTP v1 interface; use it as an asynchronous context manager.

    ``origin``: where FCM is, None: at Google's; a test has its own.
    """

    def __init__(
        self,
        account: ServiceAccount,
        clock: Clock,
        *,
        public_url: str,
        timeout_s: float = TIMEOUT_S,
        origin: str | None = None,
    ) -> None:
        self._account = account
        self._clock = clock
        self._public_url = public_url
        self._timeout_s = timeout_s
        self._origin = origin
        self._signing_in = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Read the key and open the pool; nothing is sent yet.

        Raises:
            SetupError: the service account's private key is none.

        """
        try:
            certificate = credentials.Certificate(dict(self._account.content))
        except ValueError:
            # Without its words, which may show a piece of the key.
            raise SetupError(
                "fcm.service_account: its private key cannot be read; download the key file anew"
            ) from None
        self._credential = certificate.get_credential()
        self._plain = _session(requests.Session())
        self._ask = functools.partial(Request(session=self._plain), timeout=self._timeout_s)
        self._session = _session(
            # One renewal of a token that FCM refuses, and no second attempt at anything else.
            AuthorizedSession(self._credential, max_refresh_attempts=1, auth_request=self._ask)
        )
        # A name for each: a test may have several.
        self._app = firebase_admin.initialize_app(
            certificate, {"httpTimeout": self._timeout_s}, name=f"laundryd-{id(self)}"
        )
        service = messaging._get_messaging_service(self._app)  # noqa: SLF001 -- nothing public turns its retries off
        service._client._session = self._session  # noqa: SLF001 -- the same
        if self._origin is not None:
            path = f"/v1/projects/{self._account.project_id}/messages:send"
            service._fcm_url = self._origin + path  # noqa: SLF001 -- where a test's FCM is
        self._threads = ThreadPoolExecutor(PLACES, thread_name_prefix="fcm")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the pool; what is under way ends by its own timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        # In a thread: it begins an event loop of its own.
        await asyncio.to_thread(firebase_admin.delete_app, self._app)
        self._session.close()
        self._plain.close()

    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        """Try once to send ``card``; the result says what came of it.

        Safe to cancel; FCM may have taken the message then, or may yet: a thread cannot be ended.
        """
        now = self._clock.now()
        if now >= card.useful_until:
            return result_of("not_useful")
        made = fcm_message(
            card,
            subscription.lang,
            subscription.endpoint,
            now,
            public_url=self._public_url,
            speed=self._clock.speed,
        )
        # No error is logged as it stands: it might hold the token.
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._sign_in()
                await self._in_thread(functools.partial(messaging.send, made, app=self._app))
        except (exceptions.FirebaseError, GoogleAuthError, TimeoutError, KeyError) as error:
            return of_error(error, self._clock.real_now())
        return result_of("http_200")

    async def _sign_in(self) -> None:
        # One asks for a token, and the others wait for it: each thread would ask for itself.
        async with self._signing_in:
            if not self._credential.valid:
                await self._in_thread(functools.partial(self._credential.refresh, self._ask))

    async def _in_thread(self, work: Callable[[], Done]) -> Done:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


_Session = TypeVar("_Session", bound=requests.Session)


def _session(session: _Session) -> _Session:
    """Return a session that retries nothing, follows nobody, and takes no proxy from the environment."""
    session.trust_env = False
    session.max_redirects = 0
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=PLACES, max_retries=0))
    return session


def of_error(error: Exception, now: datetime) -> Result:
    """Judge what the library raised; ``now`` is real time. The detail names no token."""
    if isinstance(error, GoogleAuthError) and error.retryable:
        # Who gives access tokens is in trouble.
        return result_of("fcm_unavailable")
    if not isinstance(error, exceptions.FirebaseError):
        return result_of(_detail(error, _BEFORE, "internal"))
    answer = error.http_response
    if answer is None:
        return result_of(_detail(error.cause, _NETWORK, "not_http"))
    is_theirs = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    detail = _detail(error, _ANSWERS, "fcm_unavailable" if is_theirs else "fcm_other")
    wait_s = parse_retry_after(answer.headers.get("Retry-After"), now)
    if detail == "fcm_quota_exceeded" and wait_s is None:
        wait_s = QUOTA_WAIT_S
    return result_of(detail, wait_s)


def _detail(error: Exception | None, kinds: Mapping[type[Exception], str], otherwise: str) -> str:
    return next((one for kind, one in kinds.items() if isinstance(error, kind)), otherwise)


_BEFORE: Final[dict[type[Exception], str]] = {
    TimeoutError: "timeout",
    # Who gives access tokens was not reached; anything else is what it says of the service account.
    TransportError: "connection",
    GoogleAuthError: "fcm_credentials",
    # An answer that says that it was taken, and not what.
    KeyError: "not_http",
}
"""What the library does not take for an error of FCM's, most special first."""
_ANSWERS: Final[dict[type[exceptions.FirebaseError], str]] = {
    messaging.UnregisteredError: "fcm_unregistered",
    messaging.SenderIdMismatchError: "fcm_sender_id_mismatch",
    messaging.ThirdPartyAuthError: "fcm_third_party_auth_error",
    exceptions.ResourceExhaustedError: "fcm_quota_exceeded",
    exceptions.UnavailableError: "fcm_unavailable",
    exceptions.InternalError: "fcm_internal",
    exceptions.InvalidArgumentError: "fcm_invalid_argument",
    exceptions.UnauthenticatedError: "fcm_unauthenticated",
    exceptions.PermissionDeniedError: "fcm_permission_denied",
}
"""The library's errors, most special first. A 404 that does not say UNREGISTERED deletes nothing."""
_NETWORK: Final[dict[type[Exception], str]] = {
    requests.exceptions.SSLError: "tls",
    requests.exceptions.Timeout: "timeout",
    requests.exceptions.ConnectionError: "connection",
}
"""Errors of the network, most special first. A name that does not resolve is a lost connection here."""
