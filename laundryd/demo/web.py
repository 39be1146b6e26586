"""The HTTP interface of either program, as a resident's app uses it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError

from laundryd.demo.errors import RefusedError
from laundryd.wire.bodies import Problem

BASE: Final = "/api/v1"
WITH_TOKEN: Final = "application/json; token=1"  # noqa: S105 -- a media type
"""Asks the relay for the token in the answer: we keep no cookies."""

Answer = TypeVar("Answer", bound=BaseModel)


class Web:
    """One server at ``url``; ``token`` is shown with every request once it is set."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str | None = None) -> None:
        self.url = url
        self.token = token
        self._http = http

    @property
    def live_url(self) -> str:
        """Where its live sessions are."""
        return f"{self.url.replace('http', 'ws', 1)}{BASE}/live"

    async def get(self, path: str, answer: type[Answer]) -> Answer:
        """GET a path below ``/api/v1``.

        Raises:
            RefusedError: the answer is an error.
            aiohttp.ClientError, TimeoutError: there is no answer.

        """
        return answer.model_validate_json((await self._send("GET", path, None))[0])

    async def post(self, path: str, body: BaseModel | None, answer: type[Answer]) -> Answer:
        """POST to a path below ``/api/v1``; raises as ``get`` does."""
        return answer.model_validate_json((await self._send("POST", path, body))[0])

    async def put(self, path: str, body: BaseModel) -> None:
        """PUT to a path below ``/api/v1``; raises as ``get`` does."""
        await self._send("PUT", path, body)

    async def post_for_cookie(self, path: str, body: BaseModel) -> str:
        """POST and return the value of the one cookie that the server gives; raises as ``get`` does."""
        _, cookies = await self._send("POST", path, body)
        return cookies[0]

    async def _send(
        self, method: str, path: str, body: BaseModel | None
    ) -> tuple[bytes, list[str]]:
        headers = {"Origin": self.url, "Accept": WITH_TOKEN}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = body.model_dump_json(exclude_none=True).encode()
        async with self._http.request(
            method, f"{self.url}{BASE}{path}", data=data, headers=headers
        ) as answer:
            found = await answer.read()
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise _refused(f"{method} {path}", answer.status, found)
            return found, [morsel.value for morsel in answer.cookies.values()]


def _refused(asked: str, status: int, body: bytes) -> RefusedError:
    try:
        problem = Problem.model_validate_json(body)
    except ValidationError:
        return RefusedError(asked, status, "", "the answer is no problem document")
    return RefusedError(asked, status, problem.code, problem.detail)
