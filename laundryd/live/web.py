"""HTTP beside the socket, for the Python client: the room, and whether the server lets us in.

The standard library's, so that a client needs no more than the rest of us. No redirect is followed and
no proxy used: the token goes to the host that was named and to no other.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ValidationError

from laundryd.live.errors import LiveRefusedError, LiveUnreachableError
from laundryd.wire.bodies import JoinBody, Joined, Me, Problem
from laundryd.wire.ids import RoomKey
from laundryd.wire.machines import RoomSnapshot

Answer = TypeVar("Answer", bound=BaseModel)

TIMEOUT_S: Final = 20.0
"""Longer than a relay gives a room to answer, shorter than a person's patience."""
ANSWER_MAX_BYTES: Final = 1 << 22
"""A room of a hundred machines with long names is under 100 KB."""
BASE: Final = "/api/v1"
WITH_TOKEN: Final = "application/json; token=1"  # noqa: S105 -- a media type
"""Asks the relay for the token in the answer; a room's own page gives it as a cookie only."""
_ERROR: Final = 400


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer: its status, its body as it came, and the values of the cookies it sets.

    ``retry_after``: that header's text, None without one.
    """

    status: int
    body: bytes
    cookies: tuple[str, ...]
    retry_after: str | None = None


class Web:
    """One server. ``url`` is ``http://`` or ``https://``, host and port; a path is not looked at."""

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or parts.hostname is None:
            raise ValueError(
                f"{url!r} is no address of a server: use https://host or http://host:port"
            )
        if parts.username is not None or parts.password is not None:
            raise ValueError("a server's address holds no name and no password")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._authority = parts.netloc
        self.token = token

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self._secure else 'http'}://{self._authority}"

    @property
    def live_url(self) -> str:
        """Where the live protocol is spoken."""
        return f"{'wss' if self._secure else 'ws'}://{self._authority}{BASE}/live"

    async def room(self, room: RoomKey) -> RoomSnapshot:
        """Return the whole room.

        Raises:
            LiveRefusedError: the server said no.
            LiveUnreachableError: no answer came, or none that can be read.

        """
        return await self._ask("GET", f"/rooms/{quote(room, safe='')}", RoomSnapshot)

    async def me(self) -> Me:
        """Return whose token it is and which rooms it opens; raises as ``room`` does."""
        return await self._ask("GET", "/me", Me)

    async def join(self, body: JoinBody) -> Joined:
        """Exchange a code or a voucher for a token, which ``token`` holds then; raises as ``room`` does."""
        raw = await self._send("POST", "/join", body)
        joined = self._read(raw, "/join", Joined)
        self.token = joined.token or next(iter(raw.cookies), None)
        return joined

    async def _ask(self, method: str, path: str, model: type[Answer]) -> Answer:
        return self._read(await self._send(method, path, None), path, model)

    async def _send(self, method: str, path: str, body: BaseModel | None) -> Raw:
        text = None if body is None else body.model_dump_json(exclude_none=True).encode()
        return await asyncio.to_thread(self._exchange, method, BASE + path, text)

    def _read(self, raw: Raw, path: str, model: type[Answer]) -> Answer:
        if raw.status >= _ERROR:
            raise refused(raw.status, raw.body, raw.retry_after)
        try:
            return model.model_validate_json(raw.body)
        except ValidationError:
            raise LiveUnreachableError(
                f"{self.origin}{BASE}{path}: the answer ({raw.status}) is none of ours"
            ) from None

    def _exchange(self, method: str, path: str, body: bytes | None) -> Raw:
        connection = self._connection()
        headers = {"Accept": WITH_TOKEN, "User-Agent": "laundryd"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers |= {"Content-Type": "application/json", "Origin": self.origin}
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            cookies = tuple(
                value
                for header in response.headers.get_all("Set-Cookie", [])
                for value in _values(header)
            )
            body_read = response.read(ANSWER_MAX_BYTES)
            return Raw(response.status, body_read, cookies, response.headers.get("Retry-After"))
        except (OSError, http.client.HTTPException) as error:
            raise LiveUnreachableError(
                f"{self.origin}: {str(error) or type(error).__name__}"
            ) from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not self._secure:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )


def refused(status: int, body: bytes, retry_after: str | None = None) -> LiveRefusedError:
    """Return the error of a refusal: what the problem document (RFC 9457) says, if it is one.

    ``retry_after``: the header of that name (RFC 9110 section 10.2.3); a date in it is not looked at,
    none of our servers sends one.
    """
    is_seconds = retry_after is not None and retry_after.isascii() and retry_after.isdecimal()
    retry_after_s = float(retry_after) if retry_after is not None and is_seconds else None
    try:
        problem = Problem.model_validate(json.loads(body))
    except (ValueError, ValidationError):
        return LiveRefusedError(
            status, None, "the answer is not a problem document of ours", retry_after_s
        )
    return LiveRefusedError(status, problem.code, problem.detail, retry_after_s)


def _values(set_cookie: str) -> list[str]:
    try:
        return [morsel.value for morsel in SimpleCookie(set_cookie).values()]
    except CookieError:
        return []
