"""The resident behind the token: who they are, what they prefer, and how they leave."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from cloud_relay.api.joining import give_token, take_token
from cloud_relay.api.services import Caller, Relay, Services
from cloud_relay.notify.plan import TOLD
from cloud_relay.residents.people import Person
from cloud_relay.residents.tokens import wants_renewal
from laundryd.daemon.openapi import CHANGING, SIGNED_IN, refusals
from laundryd.wire.bodies import Me, MeBody, MyNotice, MyNotices, MyRoom
from laundryd.wire.ids import ResidentId

LISTED_MAX: Final = 300
"""Notices in one answer: a resident gets some ten a wash."""

router = APIRouter(prefix="/api/v1/me", tags=["me"])


@router.get("", responses=refusals(*SIGNED_IN))
async def who_am_i(response: Response, relay: Relay, caller: Caller) -> Me:
    """Say who you are; a token older than a day is replaced by a fresh one."""
    if wants_renewal(caller.claims, relay.real_now()):
        give_token(relay, response, caller.person)
    response.headers["Cache-Control"] = "no-store"
    return await _me(relay, caller.person)


@router.get("/notices", responses=refusals(*SIGNED_IN))
async def my_notices(response: Response, relay: Relay, caller: Caller) -> MyNotices:
    """List the notices of your last 30 days and what became of each; it acknowledges nothing."""
    response.headers["Cache-Control"] = "no-store"
    return await listed(relay, caller.person.resident)


async def listed(relay: Services, resident: ResidentId) -> MyNotices:
    """List what a resident was told, or was to be, and what became of each."""
    found = await relay.planner.history_of(resident, LISTED_MAX)
    return MyNotices(
        notices=[
            MyNotice(notice=one.card, told=one.state in TOLD, state=one.state, steps=one.steps)
            for one in found
        ]
    )


@router.put("", responses=refusals(*CHANGING, *SIGNED_IN))
async def set_preferences(body: MeBody, relay: Relay, caller: Caller) -> Me:
    """Keep your language, and what you wish to be told."""
    if body.lang is not None:
        await relay.people.set_lang(caller.person.resident, body.lang)
    if body.wishes is not None:
        await relay.preferences.put(caller.person.resident, body.wishes)
        await relay.planner.wishes_changed(caller.person.resident)
    return await _me(relay, caller.person)


@router.delete("", status_code=204, responses=refusals(*CHANGING, *SIGNED_IN))
async def forget_me(relay: Relay, caller: Caller) -> Response:
    """Delete everything of yours here and sign out all your devices, also in the rooms."""
    # First, so that a kill in between leaves somebody who can ask again.
    await relay.planner.forget(caller.person.resident)
    for device in await relay.people.forget(caller.person.resident, relay.real_now()):
        relay.signed_out(device)
    relay.preferences.forget(caller.person.resident)
    response = Response(status_code=204)
    take_token(relay, response)
    return response


async def _me(relay: Services, person: Person) -> Me:
    return Me(
        resident=person.resident,
        device=person.device,
        lang=await relay.people.lang(person.resident),
        rooms=[
            MyRoom(
                room=room,
                name=relay.rooms.name(room) or room,
                local_url=relay.rooms.local_url(room),
            )
            for room in sorted(person.rooms)
        ],
        wishes=relay.preferences.of(person.resident),
        push=await relay.subscriptions.has(person.device),
        push_lost_at=await relay.bells.lost_at(person.device),
    )
