"""The room's own HTTP interface, under ``/api/v1``."""

# No postponed annotations here: FastAPI reads those of nested functions, which see local names.
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel

from edge.local.accounts import Accounts, Entrance
from edge.local.desk import RoomDesk
from edge.local.door import COOKIE, LocalDoor
from edge.store.edge_store import EdgeStore
from edge.store.people import People
from laundryd import __version__
from laundryd.daemon import problems, webapp
from laundryd.daemon.problems import ProblemError
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
    Problem,
)
from laundryd.wire.commands import CommandAnswer, CommandName, CommandParams
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import RoomRef
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.notices import Lang

BASE: Final = "/api/v1"
# Any: FastAPI's own type for this argument.
_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    "default": {"model": Problem, "description": "RFC 9457 problem document"}
}


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

    async def admit(self, request: Request) -> Admission:
        """Return who asks.

        Raises:
            ProblemError: there is no valid token.

        """
        found = await self.door.admit(dict(request.headers.items()))
        if isinstance(found, Refusal):
            raise ProblemError(found.code, found.detail)
        return found

    def enter(self, entrance: Entrance, response: Response) -> Joined:
        """Hand out the cookie."""
        response.set_cookie(
            COOKIE,
            entrance.token,
            max_age=entrance.life_s,
            httponly=True,
            samesite="strict",
            secure=self.secure,
            path="/",
        )
        response.headers["Cache-Control"] = "no-store"
        return Joined(resident=entrance.resident, device=entrance.device, rooms=[self.ref.key])

    def me(self, who: Admission, lang: Lang) -> Me:
        """Say who asks and which room they have."""
        return Me(
            resident=who.resident,
            device=who.device,
            lang=lang,
            rooms=[MyRoom(room=self.ref.key, name=self.name)],
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
        responses=_ERRORS,
    )
    problems.install(api)
    _people_routes(api, room)
    _room_routes(api, room)
    _probe_routes(api, room.ready, room.store, room.metrics)
    webapp.install(api)
    return api


def _people_routes(api: FastAPI, local: LocalRoom) -> None:
    Resident = Annotated[Admission, Depends(local.admit)]  # noqa: N806 -- a type for the routes

    @api.post(f"{BASE}/join")
    async def join(body: JoinBody, request: Request, response: Response) -> Joined:
        return local.enter(await local.accounts.join(body, _address(request)), response)

    @api.post(f"{BASE}/devices/link-code")
    async def link_code(who: Resident) -> LinkCode:
        return await local.accounts.link_code(who.resident)

    @api.post(f"{BASE}/devices/link")
    async def link(body: LinkBody, request: Request, response: Response) -> Joined:
        return local.enter(await local.accounts.link(body, _address(request)), response)

    @api.get(f"{BASE}/me")
    async def me(who: Resident) -> Me:
        return local.me(who, await local.people.lang(who.resident))

    @api.put(f"{BASE}/me")
    async def set_me(body: MeBody, who: Resident) -> Me:
        # Wishes are the relay's: a room pushes nothing.
        if body.lang is not None:
            await local.accounts.set_lang(who.resident, body.lang)
        return local.me(who, await local.people.lang(who.resident))


def _room_routes(api: FastAPI, local: LocalRoom) -> None:
    Resident = Annotated[Admission, Depends(local.admit)]  # noqa: N806 -- a type for the routes

    @api.get(f"{BASE}/rooms/{{room}}")
    async def room_snapshot(room: str, _who: Resident) -> RoomSnapshot:
        local.check(room)
        return local.desk.snapshot()

    @api.post(f"{BASE}/rooms/{{room}}/machines/{{machine}}/{{command}}")
    async def command(
        room: str, machine: str, command: str, body: CommandBody, who: Resident
    ) -> CommandAnswer:
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
    @api.get("/healthz")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @api.get("/readyz")
    async def readyz(response: Response) -> Readiness:
        # Ready means that the room works by itself, not that a broker, the cloud or the disk answers.
        ready = is_ready()
        if not ready:
            response.status_code = 503
        return Readiness(ready=ready, durable=store.durable, trouble=store.trouble)

    @api.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        return Response(generate_latest() + generate_latest(own), media_type=CONTENT_TYPE_LATEST)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
