"""What a resident read at the relay or in another room leaves the pages of this one."""

from __future__ import annotations

from laundryd.daemon.mqtt import MqttLink
from laundryd.demo.broker import Mosquitto
from laundryd.wire import frames
from laundryd.wire.frames import ServerFrame
from laundryd.wire.topics import Topic, topic_name
from laundryd.wire.uplink import DownTold
from tests.edge.local.conftest import EnrolledRoom, connected
from tests.edge.local.test_declined import Page, page_of
from tests.edge.running import ROOM


async def test_what_was_read_elsewhere_leaves_the_open_page_and_what_was_told_stays(
    enrolled_room: EnrolledRoom, room_broker: Mosquitto
) -> None:
    async with page_of(enrolled_room, "dora", "d-dora") as page:
        kept, read = await notice_of(page, "w2"), await notice_of(page, "d1")
        async with connected(MqttLink(room_broker.settings, "relay", name="relay")) as relay:
            # In the order of its coming: had the first taken one off, that would be heard first.
            for told in (
                DownTold(notice_ids=[kept]),
                DownTold(notice_ids=[kept, read, "f" * 32], gone=[read, "f" * 32]),
            ):
                payload = told.model_dump_json().encode()
                assert await relay.publish(topic_name(ROOM, Topic.DOWN_TOLD), payload)
        gone = list[str]()

        def is_gone(frame: ServerFrame) -> bool:
            if isinstance(frame, frames.NoticeGone):
                gone.extend(frame.ids)
            return bool(gone)

        await page.hears(is_gone)
        await page.is_answered()
        assert gone == [read]
    async with page_of(enrolled_room, "dora", "d-dora") as page:
        assert page.kinds == [], "neither is news to a page that comes"


async def notice_of(page: Page, machine: str) -> str:
    """Start ``machine`` and return the notice of it, which may come before the answer or after."""
    before = len(page.ids)
    await page.start(machine)
    if len(page.ids) == before:
        await page.hears(lambda frame: frame.type == "notice")
    return page.ids[-1]
