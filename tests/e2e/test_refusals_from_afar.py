"""What the relay and the room refuse, asked from afar through both real programs."""

from __future__ import annotations

import uuid

import pytest

from laundryd.demo.errors import RefusedError
from laundryd.demo.people import Place, Resident, live_in
from laundryd.demo.sightings import Sightings
from laundryd.demo.town import Town
from laundryd.demo.web import Web
from laundryd.wire.bodies import CommandBody, JoinBody, Joined, Me, Voucher
from laundryd.wire.commands import CommandAnswer, CommandName
from laundryd.wire.errors import ErrorCode
from laundryd.wire.machines import RoomSnapshot
from laundryd.wire.phases import Phase

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def refusal(resident: Resident, machine: str, name: CommandName) -> tuple[int, str]:
    with pytest.raises(RefusedError) as refused:
        await resident.ask(machine, name)
    return refused.value.status, refused.value.code


async def test_commands_that_the_room_refuses_change_nothing(town: Town) -> None:
    cast = [("first", Place.AWAY), ("second", Place.AWAY)]
    async with live_in(town, Sightings(), cast) as (first, second):
        await first.ask("w1", CommandName.CLAIM)
        # A command in the wrong phase.
        assert await refusal(first, "w2", CommandName.COLLECT) == (409, ErrorCode.ILLEGAL_MOVE)
        # A claim on somebody else's machine, and what only its holder may say of it.
        for name in (CommandName.CLAIM, CommandName.ARRIVE, CommandName.RELEASE):
            status, code = await refusal(second, "w1", name)
            assert status == 409
            assert code in {ErrorCode.NOT_YOURS, ErrorCode.ILLEGAL_MOVE}
        # A second machine of the same kind, and an unknown one.
        assert await refusal(first, "w3", CommandName.CLAIM) == (409, ErrorCode.ALREADY_HOLDING)
        assert await refusal(first, "w9", CommandName.CLAIM) == (404, ErrorCode.UNKNOWN_MACHINE)
        phases = {one.machine: one.phase for one in (await first.room()).machines}
        assert phases == {**dict.fromkeys(phases, Phase.FREE), "w1": Phase.CLAIMED}


async def test_the_whole_flow_is_there_from_afar_and_a_report_keeps_its_words(town: Town) -> None:
    async with live_in(town, Sightings(), [("linked", Place.AWAY)]) as (linked,):
        relay = Web(town.http, town.relay_url)
        relay.token = (await relay.post("/join", JoinBody(code=town.join_code), Joined)).token

        async def say(name: CommandName, **params: str) -> CommandAnswer:
            body = CommandBody.model_validate({"id": uuid.uuid4().hex, **params})
            url = f"/rooms/{town.room.key}/machines/w2/{name}"
            return await relay.post(url, body, CommandAnswer)

        assert (await say(CommandName.REPORT_FAULT, text="water on the floor")).ok
        assert (await say(CommandName.MUTE_PICKUP)).ok
        for name, params, status, code in (
            (CommandName.REPORT_FAULT, {"text": "more water"}, 429, ErrorCode.RATE_LIMITED),
            (CommandName.START, {"programme": "silk"}, 422, ErrorCode.UNKNOWN_PROGRAMME),
            (CommandName.REPORT_FAULT, {}, 422, ErrorCode.INVALID_BODY),
            (CommandName.WATCH, {}, 409, ErrorCode.FREE_NOW),
            (CommandName.REQUEST_PICKUP, {}, 409, ErrorCode.ILLEGAL_MOVE),
            (CommandName.COMING, {}, 409, ErrorCode.ILLEGAL_MOVE),
            (CommandName.EXTEND, {}, 409, ErrorCode.ILLEGAL_MOVE),
        ):
            with pytest.raises(RefusedError) as refused:
                await say(name, **params)
            assert (refused.value.status, refused.value.code) == (status, code), name
        shown = await linked.room()
        (w2,) = (one for one in shown.machines if one.machine == "w2")
        assert w2.fault_reported_at is not None
        assert "water" not in shown.model_dump_json()


async def test_a_token_opens_its_own_audience_only(town: Town) -> None:
    relay, room = Web(town.http, town.relay_url), Web(town.http, town.edge_url)
    async with live_in(town, Sightings(), [("linked", Place.AWAY)]):
        joined = await relay.post("/join", JoinBody(code=town.join_code), Joined)
        relay.token = joined.token
        voucher = await relay.post(f"/rooms/{town.room.key}/voucher", None, Voucher)

        room.token = relay.token  # the relay's token at the room
        with pytest.raises(RefusedError, match="unauthenticated"):
            await room.get("/me", Me)
        relay.token = voucher.token  # the room's token at the relay
        with pytest.raises(RefusedError, match="unauthenticated"):
            await relay.get("/me", Me)
        room.token = await Web(town.http, town.edge_url).post_for_cookie(
            "/join", JoinBody(voucher=voucher.token)
        )
        assert (await room.get("/me", Me)).resident == joined.resident


async def test_a_resident_of_one_site_sees_and_commands_no_other(town: Town) -> None:
    async with live_in(town, Sightings(), [("linked", Place.AWAY)]):
        relay = Web(town.http, town.relay_url)
        relay.token = (await relay.post("/join", JoinBody(code=town.join_code), Joined)).token
        for other in ("other-site.basement", "maple-hall.attic"):
            with pytest.raises(RefusedError) as seen:
                await relay.get(f"/rooms/{other}", RoomSnapshot)
            with pytest.raises(RefusedError) as asked:
                await relay.post(
                    f"/rooms/{other}/machines/w1/claim",
                    CommandBody(id=uuid.uuid4().hex),
                    CommandAnswer,
                )
            for refused in (seen.value, asked.value):
                assert refused.code in {ErrorCode.FOREIGN_ROOM, ErrorCode.UNKNOWN_ROOM}
