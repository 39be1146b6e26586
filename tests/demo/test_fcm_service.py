from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import jwt
import pytest

from laundryd.demo.fcm_account import AUDIENCE, GRANT, PROJECT_ID
from laundryd.demo.fcm_message_check import MalformedError, read_message
from laundryd.demo.fcm_service import FcmAnswer, FcmService

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
WITHIN_S = 20.0


class Caller:
    """Speaks to the service without Google's library."""

    def __init__(self, service: FcmService, folder: Path, http: aiohttp.ClientSession) -> None:
        self.service, self._http = service, http
        self.account = json.loads(service.key_file(folder).read_text())

    def assertion(self, **claims: object) -> str:
        email = self.account["client_email"]
        said = {"iss": email, "aud": AUDIENCE, "scope": SCOPE, "exp": 4_000_000_000, **claims}
        return jwt.encode(said, self.account["private_key"], algorithm="RS256")

    async def grant(self, assertion: str, grant_type: str = GRANT) -> tuple[int, dict[str, str]]:
        form = {"grant_type": grant_type, "assertion": assertion}
        async with self._http.post(self.account["token_uri"], data=form) as answer:
            return answer.status, await answer.json()

    async def send(
        self, message: object, *, bearer: str | None = None, project: str = PROJECT_ID
    ) -> tuple[int, str]:
        """Return the status and FCM's code, or Google's own where FCM says none."""
        if bearer is None:
            bearer = (await self.grant(self.assertion()))[1]["access_token"]
        url = f"{self.service.origin}/v1/projects/{project}/messages:send"
        headers = {"Authorization": f"Bearer {bearer}"}
        async with self._http.post(url, json={"message": message}, headers=headers) as answer:
            body = await answer.json()
            error = body.get("error", {})
            details = error.get("details", [{}])
            return answer.status, details[0].get("errorCode", error.get("status", ""))


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with FcmService() as service, aiohttp.ClientSession() as http:
        yield Caller(service, tmp_path, http)


async def test_who_bears_a_token_of_ours_sends_to_who_is_registered(caller: Caller) -> None:
    service = caller.service
    token = service.new_token()
    message = {"token": token, "webpush": {"notification": {"title": "x"}}}
    assert await caller.send(message) == (200, "")
    assert [one.token for one in service.messages] == [token]
    assert await caller.send(message, bearer="ya29.guessed") == (401, "UNAUTHENTICATED")
    assert await caller.send(message, project="another") == (403, "PERMISSION_DENIED")
    service.forget(token)
    assert await caller.send(message) == (404, "UNREGISTERED")
    assert await caller.send({"token": "nobodys"}) == (404, "UNREGISTERED")
    assert await caller.send({"topic": "all"}) == (400, "INVALID_ARGUMENT")
    assert len(service.messages) == 1


async def test_a_token_is_given_for_this_accounts_signature_alone(
    caller: Caller, tmp_path: Path
) -> None:
    other = Caller(FcmService(), tmp_path, aiohttp.ClientSession())
    await other._http.close()
    refused = 400, {"error": "invalid_grant"}
    assert await caller.grant(other.assertion()) == refused
    assert await caller.grant(caller.assertion(exp=1)) == refused
    assert await caller.grant(caller.assertion(aud="https://elsewhere.example")) == refused
    assert await caller.grant("") == refused
    scope = caller.assertion(scope="https://www.googleapis.com/auth/drive")
    assert await caller.grant(scope) == (400, {"error": "invalid_scope"})
    unsupported = 400, {"error": "unsupported_grant_type"}
    assert await caller.grant(caller.assertion(), "password") == unsupported


async def test_it_answers_as_told_and_keeps_what_was_delivered_all_the_same(caller: Caller) -> None:
    service = caller.service
    message = {"token": service.new_token()}
    service.answer_always(FcmAnswer("UNAVAILABLE", delivered=True))
    service.answer_next(FcmAnswer("QUOTA_EXCEEDED", headers={"Retry-After": "3"}))
    assert await caller.send(message) == (429, "QUOTA_EXCEEDED")
    assert await caller.send(message) == (503, "UNAVAILABLE")
    service.answer_always(None)
    assert await caller.send(message) == (200, "")
    assert [post.message is not None for post in service.posts] == [False, True, True]


async def test_its_port_stays_over_a_stop(caller: Caller) -> None:
    service = caller.service
    message, origin = {"token": service.new_token()}, service.origin
    await service.stop()
    await service.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await caller.send(message)
    await service.start()
    assert service.origin == origin
    assert await caller.send(message) == (200, "")


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"token": ""},
        {"token": "t", "fid": "f"},
        {"token": "t", "new": 1},
        {"token": "t", "webpush": []},
        {"token": "t", "webpush": {"header": {}}},
        {"token": "t", "webpush": {"headers": {"TTL": 60}}},
        {"token": "t", "webpush": {"headers": {"TTL": "1.5"}}},
        {"token": "t", "webpush": {"headers": {"Urgency": "now"}}},
        {"token": "t", "webpush": {"headers": {"Topic": "x" * 33}}},
        {"token": "t", "webpush": {"fcm_options": {"link": "http://a.example"}}},
        {"token": "t", "webpush": {"data": {"x": "y" * 4_096}}},
        {"token": "t", "android": {"ttl": "60"}},
        {"token": "t", "android": {"priority": "urgent"}},
        {"token": "t", "android": {"tag": "x"}},
    ],
)
def test_a_malformed_message_is_refused_without_its_token(message: dict[str, object]) -> None:
    with pytest.raises(MalformedError):
        read_message({"message": message}, sender_id="1", message_id="2")


async def test_by_hand_it_prints_what_a_relay_needs_and_each_message(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "laundryd.demo.fcm_service", "--folder", str(tmp_path))
    process = await asyncio.create_subprocess_exec(
        *command, "--answer", "UNREGISTERED", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WITHIN_S):
            said = [(await process.stdout.readline()).decode().strip() for _ in range(7)]
            origin = said[5].partition(" = ")[2].strip('"')
            async with aiohttp.ClientSession() as http:
                url = f"{origin}/v1/projects/{PROJECT_ID}/messages:send"
                async with http.post(url, json={}) as answer:
                    assert answer.status == 401
            assert b"no valid bearer" in await process.stdout.readline()
    finally:
        process.terminate()
        await process.wait()
    assert said[0] == f'fcm.service_account = "{tmp_path / "service-account.json"}"'
    assert (tmp_path / "service-account.json").stat().st_mode & 0o077 == 0
    assert said[6].startswith("token: ")
