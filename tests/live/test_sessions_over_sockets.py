from __future__ import annotations

import contextlib

import pytest
from websockets.exceptions import ConnectionClosed

from laundryd.live.errors import LiveClosedError, LiveRefusedError, LiveTimeoutError
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode
from tests.live.stage import ROOM, StartLive, closed, eventually, identify_text, make_notice


async def test_a_new_connection_of_a_session_closes_the_old_one_with_4505_and_stays(
    start_live: StartLive,
) -> None:
    live = await start_live(linger_s=0)
    async with live.client() as old:
        session_id = (await old.welcomed()).session_id
        async with live.client(session_id=session_id) as new:
            assert (await new.welcomed()).session_id == session_id
            with pytest.raises(LiveClosedError) as ended:
                await old.next_frame(frames.Result)
            assert ended.value.code == 4505
            await old.close()
            await eventually(lambda: live.server._crowd.open == 1)
            # The old connection's late death took nothing from the new one.
            assert [s.session_id for s in live.server.sessions("ann")] == [session_id]
            assert live.server.notify(make_notice("done"), "ann") == 1
            await live.publish(1)
            await new.next_event()


async def test_a_page_on_the_wall_that_nobody_touched_for_months_stays_connected(
    start_live: StartLive,
) -> None:
    live = await start_live()
    async with live.client("wall:board") as wall:
        await wall.welcomed()
        for days in (31, 365):
            await wall.attention(visible=True, touched_s_ago=days * 86_400.0)
            await wall.ping()
            await wall.next_frame(frames.Pong)
        [session] = live.server.sessions("wall")
        assert (session.visible, session.attentive) == (True, False)


@pytest.mark.parametrize("ago", ["Infinity", "-Infinity", "NaN", "-1", "1e999"])
async def test_a_touch_that_cannot_be_is_a_bad_frame(start_live: StartLive, ago: str) -> None:
    live = await start_live()
    async with live.raw() as socket:
        await socket.send(identify_text())
        await socket.send(f'{{"type": "attention", "visible": true, "touched_s_ago": {ago}}}')
        assert await closed(socket) == CloseCode.BAD_FRAME


@pytest.mark.parametrize("thief", ["ben:phone", "ann:tablet"])
async def test_a_stolen_session_id_gets_a_new_one_and_disturbs_nobody(
    start_live: StartLive, thief: str
) -> None:
    live = await start_live()
    async with live.client("ann:phone") as ann:
        session_id = (await ann.welcomed()).session_id
        async with live.client(thief, session_id=session_id) as other:
            assert (await other.welcomed()).session_id != session_id
            await live.publish(1)
            await ann.next_event()


async def test_a_session_outlives_the_server_and_is_its_residents_alone(
    start_live: StartLive,
) -> None:
    before = await start_live()
    async with before.client("ann:phone") as client:
        session_id = (await client.welcomed()).session_id
    live = await start_live()  # another life: it knows nobody
    for thief in ("ben:phone", "ann:tablet"):
        async with live.client(thief, session_id=session_id) as other:
            assert (await other.welcomed()).session_id != session_id
    async with live.client("ann:phone", session_id=session_id) as client:
        assert (await client.welcomed()).session_id == session_id


async def test_an_invented_session_id_is_not_kept(start_live: StartLive) -> None:
    live = await start_live()
    async with live.client(session_id="invented") as client:
        assert (await client.welcomed()).session_id != "invented"


async def test_presence_is_told_when_somebody_comes_looks_away_and_goes(
    start_live: StartLive,
) -> None:
    live = await start_live()
    async with live.client() as client:
        await client.next_frame(frames.Mine)
        (view,) = live.server.sessions("ann")
        assert (view.attentive, view.visible, view.connected, view.device) == (
            True,
            True,
            True,
            "phone",
        )
        before = live.desk.presence_changes
        assert before >= 1
        await client.attention(visible=False)
        await eventually(lambda: not live.server.sessions("ann")[0].attentive)
        assert live.desk.presence_changes == before + 1
        await client.attention(visible=False, touched_s_ago=9)
        await client.ping()
        await client.next_frame(frames.Pong)
        assert live.desk.presence_changes == before + 1  # nothing changed, nothing told
    await eventually(lambda: live.server.all_sessions() == [])
    assert live.desk.presence_changes == before + 2


async def test_attention_lapses_by_itself_and_is_told(start_live: StartLive) -> None:
    live = await start_live(attentive_s=0.2)
    async with live.client() as client:
        await client.next_frame(frames.Mine)
        assert live.server.sessions("ann")[0].attentive
        before = live.desk.presence_changes
        await eventually(lambda: not live.server.sessions("ann")[0].attentive)
        assert live.desk.presence_changes == before + 1
        assert live.server.sessions("ann")[0].connected
        await client.attention(visible=True)
        await eventually(lambda: live.desk.presence_changes == before + 2)


async def test_a_dropped_session_lingers_and_its_attention_comes_back_with_it(
    start_live: StartLive,
) -> None:
    live = await start_live(linger_s=30)
    async with live.raw() as socket:
        await socket.send(identify_text())
        welcome = frames.SERVER_FRAME.validate_json(await socket.recv())
        assert isinstance(welcome, frames.Welcome)
        socket.transport.abort()
        await eventually(lambda: not live.server.sessions("ann")[0].connected)
    assert live.server.sessions("ann")[0].attentive
    assert live.server.notify(make_notice("done"), "ann") == 0
    async with live.client(session_id=welcome.session_id) as client:
        await client.welcomed()
        (view,) = live.server.sessions("ann")
        assert (view.session_id, view.connected, view.attentive) == (
            welcome.session_id,
            True,
            True,
        )


async def test_a_dropped_session_that_stays_away_is_forgotten_and_told(
    start_live: StartLive,
) -> None:
    live = await start_live(linger_s=0.1)
    socket = await live.raw()
    await socket.send(identify_text())
    await socket.recv()
    before = live.desk.presence_changes
    socket.transport.abort()
    await eventually(lambda: live.server.all_sessions() == [])
    assert live.desk.presence_changes > before


async def test_a_revoked_device_is_closed_with_4503_and_other_devices_stay(
    start_live: StartLive,
) -> None:
    live = await start_live()
    async with (
        live.client("ann:phone") as phone,
        live.client("ann:tablet") as tablet,
        live.raw("ann:phone") as unidentified,
    ):
        await phone.welcomed()
        await tablet.welcomed()
        assert live.server.close_device("phone") == 2
        with pytest.raises(LiveClosedError) as ended:
            await phone.next_frame(frames.Result)
        assert ended.value.code == 4503
        assert await closed(unidentified) == 4503
        assert [s.device for s in live.server.sessions("ann")] == ["tablet"]
        await live.publish(1)
        await tablet.next_event()


async def test_a_silent_client_is_pinged_then_closed_with_4002(start_live: StartLive) -> None:
    live = await start_live(heartbeat_s=0.2)
    async with live.raw() as socket:
        await socket.send(identify_text())
        kinds: list[str] = []
        with contextlib.suppress(ConnectionClosed):
            while len(kinds) < 10:
                kinds.append(frames.SERVER_FRAME.validate_json(await socket.recv()).type)
        assert kinds == ["welcome", "mine", "ping"]
        assert socket.close_code == 4002


async def test_a_client_that_answers_pings_stays(start_live: StartLive) -> None:
    live = await start_live(heartbeat_s=0.1)
    async with live.client() as client:
        await client.welcomed()
        for _ in range(5):
            await client.next_frame(frames.Ping)
        assert client.connections == 1


async def test_stopping_closes_with_1001(
    start_live: StartLive,
) -> None:
    live = await start_live()
    async with live.raw() as socket:
        await socket.send(identify_text())
        await socket.recv()
        live.timers.cancel()
        assert await closed(socket) == 1001


async def test_the_client_says_why_it_was_refused_for_good(start_live: StartLive) -> None:
    live = await start_live()
    async with live.client("forged") as client:
        with pytest.raises(LiveRefusedError) as refused:
            await client.welcomed()
    assert (refused.value.status, refused.value.code) == (401, "unauthenticated")


async def test_the_client_says_what_it_waited_for_in_vain(start_live: StartLive) -> None:
    live = await start_live()
    async with live.client() as client:
        await client.next_frame(frames.Mine)
        with pytest.raises(LiveTimeoutError, match=r"no Result within 0\.05 s.*welcome"):
            await client.next_frame(frames.Result, 0.05)


async def test_an_unexpected_address_is_tried_again_until_somebody_answers(
    start_live: StartLive,
) -> None:
    live = await start_live()
    client = live.client()
    client._core._link.backoff.rule = frames.Backoff(first_s=0.01, factor=1, cap_s=0.01)
    url, client._driver.url = client._driver.url, "ws://127.0.0.1:1/api/v1/live"
    async with client:
        with pytest.raises(LiveTimeoutError):
            await client.welcomed(0.1)
        client._driver.url = url
        assert ROOM in (await client.welcomed()).rooms
