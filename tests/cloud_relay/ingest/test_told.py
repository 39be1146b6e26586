from __future__ import annotations

from cloud_relay.ingest.told import TOLD_A_MESSAGE, WAITING_MAX, ToldSender
from tests.cloud_relay.world import ROOM, Link

IDS = [f"{number:032x}" for number in range(TOLD_A_MESSAGE + 5)]


def test_each_message_names_as_gone_those_of_its_own_notices_only() -> None:
    sender = ToldSender(Link())
    sender.told(ROOM, IDS, {IDS[1], IDS[-1], "f" * 32})
    (_, first), (_, second) = (sender._waiting.get_nowait() for _ in range(2))
    assert first.notice_ids + second.notice_ids == IDS
    assert (first.gone, second.gone) == ([IDS[1]], [IDS[-1]])


def test_what_was_only_told_leaves_no_page() -> None:
    sender = ToldSender(Link())
    sender.told(ROOM, IDS[:1])
    assert sender._waiting.get_nowait()[1].gone == []


def test_what_is_too_much_is_dropped_and_counted() -> None:
    sender = ToldSender(Link())
    for _ in range(WAITING_MAX + 1):
        sender.told(ROOM, IDS[:1], IDS[:1])
    assert sender.counts == {"dropped": 1}
