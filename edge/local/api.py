"""The room's own HTTP interface, under ``/api/v1``."""

# No postponed annotations here: FastAPI reads those of nested functions, which see local names.
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel

from edge.local.accounts import Accounts, Entrance
from edge.local.desk import RoomDesk
from edge.local.door import COOKIE, LocalDoor
from edge.store.edge_store import EdgeStore
from edge.store.people import People
from laundryd import __version__
from laundryd.daemon import openapi, problems, webapp
from laundryd.daemon.cookies import give_cookie
from laundryd.daemon.http_guard import headers_of
from laundryd.daemon.openapi import (
    CHANGING,
    COMMANDED,
    SIGNED_IN,
    CommandPath,
    MachinePath,
    RoomPath,
    refusals,
)
from laundryd.daemon.problems import ProblemError
from laundryd.live.address import caller_address
from laundryd.live.door import Admission, Refusal
from laundryd.wire import frames
from laundryd.wire.bodies import (
    CommandBody,
    JoinBody,
    Joined,
    LinkBody,
    LinkCode,
    Me,
    MeBody,
    MyRoom,
)
from laundryd.wire.commands import CommandAnswer, CommandName, CommandParams
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import RoomRef
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import Lang

BASE: Final = "/api/v1"
_COOKIE = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by join and link.")
ADMITTED: Final = (*SIGNED_IN, ErrorCode.ROSTER_AWAITED)
"""What every request with a token may meet."""
_BEARER = HTTPBearer(auto_error=False, description="For programs without a cookie jar.")


class Alive(BaseModel):
    """The program answers."""

    ok: bool


class Readiness(BaseModel):
    """``durable`` false: the room lives in memory, and ``trouble`` says what is wrong with its database."""

    ready: bool
    durable: bool
    trouble: str | None


@dataclass(frozen=True, slots=True)
class LocalRoom:
    """What the interface is an interface to. ``secure``: served over TLS, so cookies are for TLS only."""

    ref: RoomRef
    name: str
    secure: bool
    door: LocalDoor
    desk: RoomDesk
    accounts: Accounts
    people: People
    ready: Callable[[], bool]
    store: EdgeStore
    metrics: CollectorRegistry
    trusted_proxies: frozenset[IPv4Network | IPv6Network]

    def address(self, request: Request) -> str:
        """Return the address that limits count by.

        Of IPv6 the whole address: here a network is a whole house, not one household.
        """
        return caller_address(
            request.client.host if request.client else "unknown",
            headers_of(request.scope).get("x-forwarded-for", ""),
            self.trusted_proxies,
            household_bits=None,
        )

    async def admit(
        self,
        request: Request,
        _cookie: Annotated[str | None, Security(_COOKIE)],
        _bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> Admission:
        """Return who asks; the two unused parameters put both ways into the OpenAPI document.

        Raises:
            ProblemError: there is no valid token.

        """
        found = await self.door.admit(dict(request.headers.items()))
        if isinstance(found, Refusal):
            raise ProblemError(found.code, found.detail, retry_after_s=found.retry_after_s)
        return found

    def enter(self, entrance: Entrance, response: Response) -> Joined:
        """Hand out the cookie."""
        self.give(entrance, response)
        return Joined(resident=entrance.resident, device=entrance.device, rooms=[self.ref.key])

    def give(self, entrance: Entrance, response: Response) -> None:
        """Put the token into the cookie."""
        life_s, secure = entrance.life_s, self.secure
        give_cookie(response, COOKIE, entrance.token, life_s=life_s, secure=secure)

    def me(self, who: Admission, lang: Lang) -> Me:
        """Say who asks and which room they have."""
        return Me(
            resident=who.resident,
            device=who.device,
            lang=lang,
            rooms=[MyRoom(room=self.ref.key, name=self.name)],
            relay_url=self.accounts.relay_url,
        )

    def check(self, room: str) -> None:
        """Raise ``unknown_room`` for any room but ours."""
        if room != self.ref.key:
            raise ProblemError(ErrorCode.UNKNOWN_ROOM, f"This page is of {self.ref.key}.")


def make_api(room: LocalRoom) -> FastAPI:
    """Build the application."""
    api = FastAPI(
        title="laundryd edge",
        version=__version__,
        openapi_url=f"{BASE}/openapi.json",
        docs_url=None,
        redoc_url=None,
        summary="One laundry room, as the residents in it see it.",
        generate_unique_id_function=lambda route: route.name,
    )
    problems.install(api)
    _people_routes(api, room)
    _room_routes(api, room)
    _probe_routes(api, room.ready, room.store, room.metrics)
    openapi.complete(api)
    webapp.install(api)
    return api


def _people_routes(api: FastAPI, local: LocalRoom) -> None:
    Resident = Annotated[Admission, Depends(local.admit)]  # noqa: N806 -- a type for the routes

    @api.post(
        f"{BASE}/join",
        responses=refusals(
            *CHANGING,
            ErrorCode.JOIN_CODE_INVALID,
            ErrorCode.JOIN_CODE_SPENT,
            ErrorCode.VOUCHER_INVALID,
            ErrorCode.ROSTER_AWAITED,
            ErrorCode.JOIN_AT_RELAY,
            ErrorCode.RATE_LIMITED,
        ),
    )
    async def join(body: JoinBody, request: Request, response: Response) -> Joined:
        """Come in with a voucher of the relay's app, or with the room's own code if it has no relay."""
        return local.enter(await local.accounts.join(body, local.address(request)), response)

    @api.post(
        f"{BASE}/devices/link-code",
        responses=refusals(*CHANGING, *ADMITTED, ErrorCode.JOIN_AT_RELAY),
    )
    async def make_link_code(who: Resident) -> LinkCode:
        """Make a code that links one more device of yours, once; in a room without a relay."""
        return await local.accounts.link_code(who.resident)

    @api.post(
        f"{BASE}/devices/link",
        responses=refusals(
            *CHANGING,
            ErrorCode.LINK_CODE_INVALID,
            ErrorCode.JOIN_AT_RELAY,
            ErrorCode.RATE_LIMITED,
        ),
    )
    async def link(body: LinkBody, request: Request, response: Response) -> Joined:
        """Become one more device of the resident who made the code; in a room without a relay."""
        return local.enter(await local.accounts.link(body, local.address(request)), response)

    @api.get(f"{BASE}/me", responses=refusals(*ADMITTED))
    async def who_am_i(who: Resident, response: Response) -> Me:
        """Say who you are; in a room without a relay a token older than a day is replaced by a fresh one."""
        if (renewed := local.accounts.renewed(who)) is not None:
            local.give(renewed, response)
        return local.me(who, await local.people.lang(who.resident))

    @api.put(f"{BASE}/me", responses=refusals(*CHANGING, *ADMITTED))
    async def set_preferences(body: MeBody, who: Resident) -> Me:
        """Keep your language on the room's own page; wishes are the relay's, a room pushes nothing."""
        if body.lang is not None:
            await local.accounts.set_lang(who.resident, body.lang)
        return local.me(who, await local.people.lang(who.resident))


def _room_routes(api: FastAPI, local: LocalRoom) -> None:
    Resident = Annotated[Admission, Depends(local.admit)]  # noqa: N806 -- a type for the routes

    @api.get(f"{BASE}/rooms/{{room}}", responses=refusals(*ADMITTED, ErrorCode.UNKNOWN_ROOM))
    async def room_now(room: RoomPath, _who: Resident) -> RoomSnapshot:
        """Return the whole room, with the position that events go on from."""
        local.check(room)
        return local.desk.snapshot()

    @api.post(
        f"{BASE}/rooms/{{room}}/machines/{{machine}}/{{command}}",
        responses=refusals(*CHANGING, *ADMITTED, ErrorCode.UNKNOWN_ROOM, *COMMANDED),
    )
    async def command_machine(
        room: RoomPath,
        machine: MachinePath,
        command: CommandPath,
        body: CommandBody,
        who: Resident,
    ) -> CommandAnswer:
        """Do something with a machine.

        `id` is yours to make, new for each wish; sending it again repeats the answer, not the deed.
        """
        local.check(room)
        if command not in set(CommandName):
            raise ProblemError(ErrorCode.UNKNOWN_COMMAND)
        if not local.desk.has(machine):
            raise ProblemError(ErrorCode.UNKNOWN_MACHINE)
        result = await local.desk.command(
            who.resident,
            frames.Command.model_construct(
                id=body.id,
                room=room,
                machine=machine,
                name=CommandName(command),
                params=CommandParams(
                    minutes=body.minutes, programme=body.programme, text=body.text
                ),
            ),
        )
        if result.error is not None:
            raise ProblemError(
                result.error.code,
                result.error.message,
                retry_after_s=result.error.retry_after_s,
            )
        return CommandAnswer.model_validate(result.model_dump())


def _probe_routes(
    api: FastAPI, is_ready: Callable[[], bool], store: EdgeStore, own: CollectorRegistry
) -> None:
    @api.get("/healthz", responses=refusals())
    async def healthz() -> Alive:
        """Say that the program runs and answers."""
        return Alive(ok=True)

    @api.get(
        "/readyz",
        responses={
            **refusals(),
            503: {"model": Readiness, "description": "Not ready; `trouble` may say why."},
        },
    )
    async def readyz(response: Response) -> Readiness:
        """Say whether the room works by itself."""
        # Ready means that the room works by itself, not that a broker, the cloud or the disk answers.
        ready = is_ready()
        if not ready:
            response.status_code = 503
        return Readiness(ready=ready, durable=store.durable, trouble=store.trouble)

    @api.get(
        "/metrics",
        response_class=Response,
        responses={
            **refusals(),
            200: {
                "content": {"text/plain": {"schema": {"type": "string"}}},
                "description": "Metrics.",
            },
        },
    )
    async def metrics() -> Response:
        """Return the counters in Prometheus' text format."""
        return Response(generate_latest() + generate_latest(own), media_type=CONTENT_TYPE_LATEST)
