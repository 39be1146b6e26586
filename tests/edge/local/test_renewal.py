"""Who opens the page of a room without a relay now and then stays who they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from edge.app import OWN_KEY
from edge.local.accounts import RENEW_AFTER, TOKEN_LIFE
from edge.local.door import COOKIE
from laundryd.daemon.tokens import SigningKey
from tests.edge.local.conftest import EnrolledRoom, OpenRoom
from tests.edge.running import token_for

ME = "/api/v1/me"


def token_of_age(room: OpenRoom, age: timedelta) -> str:
    joined = room.joined.json()
    return token_for(
        SigningKey.load_or_create(room.edge.data_dir / OWN_KEY),
        resident=joined["resident"],
        device=joined["device"],
        life=TOKEN_LIFE,
        issued_at=datetime.now(UTC) - age,
    )


@pytest.mark.parametrize("age", [RENEW_AFTER + timedelta(minutes=1), TOKEN_LIFE - RENEW_AFTER])
def test_an_older_token_is_replaced_when_the_page_is_opened(
    open_room: OpenRoom, age: timedelta
) -> None:
    with open_room.edge.page(token_of_age(open_room, age)) as page:
        answer = page.get(ME)
    fresh = answer.cookies[COOKIE]
    assert f"Max-Age={TOKEN_LIFE // timedelta(seconds=1)}" in answer.headers["set-cookie"]
    assert answer.headers["cache-control"] == "no-store"
    with open_room.edge.page(fresh) as page:
        again = page.get(ME)
    assert again.json() == answer.json()
    assert again.json()["resident"] == open_room.joined.json()["resident"]
    assert "set-cookie" not in again.headers, "a fresh one is not replaced"


def test_a_token_whose_term_is_over_is_not_replaced(open_room: OpenRoom) -> None:
    with open_room.edge.page(token_of_age(open_room, TOKEN_LIFE + timedelta(minutes=1))) as page:
        answer = page.get(ME)
    assert answer.status_code == 401
    assert COOKIE not in answer.cookies


def test_the_relays_tokens_are_the_relays_to_replace(enrolled_room: EnrolledRoom) -> None:
    old = datetime.now(UTC) - 2 * RENEW_AFTER
    token = token_for(enrolled_room.key, life=timedelta(days=30), issued_at=old)
    with enrolled_room.edge.page(token) as page:
        answer = page.get(ME)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
