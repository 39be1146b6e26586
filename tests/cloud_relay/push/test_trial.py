from __future__ import annotations

import pytest
from typing_extensions import override

from cloud_relay.push.outcomes import Outcome, Result
from cloud_relay.push.subscriptions import Subscription
from cloud_relay.push.trial import Trial
from laundryd.wire.notices import NoticeCard, NoticeKind
from laundryd.wire.subscriptions import PushTry
from tests.cloud_relay.world import ME, OTHER, ROOM, HandClock, Postman, Subscribers


class Careful(Postman):
    """Keeps the cards, and breaks where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.cards: list[NoticeCard] = []

    @override
    async def send(self, card: NoticeCard, subscription: Subscription) -> Result:
        self.cards.append(card)
        if subscription.id == "broken":
            raise RuntimeError(subscription.endpoint)
        return await super().send(card, subscription)


async def test_each_device_says_what_came_of_it_and_it_is_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house, postman = Subscribers(), Careful()
    for name in ("fine", "gone", "refused", "down", "broken"):
        house.add(ME, name)
    house.add(OTHER, "foreign")
    postman.answers = {
        "gone": [Result(Outcome.GONE, "http_410")],
        "refused": [Result(Outcome.REFUSED, "http_403")],
        "down": [Result(Outcome.LATER, "timeout")],
    }
    trial = Trial(postman, house, HandClock())
    assert await trial.send(ME, ROOM, {"fine": "Chrome on Android"}) == {
        "fine": (PushTry.ACCEPTED, ""),
        "gone": (PushTry.DEAD, "http_410"),
        "refused": (PushTry.REFUSED, "http_403"),
        "down": (PushTry.UNANSWERED, "timeout"),
        "broken": (PushTry.REFUSED, "internal"),
    }
    assert "foreign" not in {subscription for _, subscription in postman.sent}
    assert house.sent == ["fine"]
    assert house.deleted == ["gone"]
    assert sorted(house.errors) == [
        ("broken", "internal"),
        ("down", "timeout"),
        ("refused", "http_403"),
    ]
    assert "subscription refused was refused (http_403)" in caplog.text, "staff can see why"
    assert "/send/" not in caplog.text
    assert {card.kind for card in postman.cards} == {NoticeKind.TEST}
    assert len({card.id for card in postman.cards}) == 1, "one test, one Topic"
    assert postman.cards[0].params == {"name": "Chrome on Android"}


async def test_who_has_no_device_tries_nothing() -> None:
    postman = Careful()
    assert await Trial(postman, Subscribers(), HandClock()).send(ME, ROOM, {}) == {}
    assert postman.sent == []
