"""The model's pages by themselves: they come back as a browser's do."""

from __future__ import annotations

from tests.model.pages import Page
from tests.model.people import house
from tests.model.programs import ROOM
from tests.model.promises import check_all
from tests.model.world import World


def test_a_page_that_lost_its_session_to_another_goes_on_and_waits_for_a_room_without_its_roster() -> (
    None
):
    with World() as world:
        page = world.pages[0]
        twin = Page("anna-again", "anna", house().room_tokens["anna"], ROOM.key, world.edge)
        twin.session_id = page.session_id
        world.do(twin.open)
        world.advance(5)
        assert page.seen.final_codes, "it was told that its session went elsewhere"
        world.do(twin.leave)
        # A room without its store, and a broker that has nothing for it: it puts everybody off.
        world.do(lambda: world.broker.stop(forget=True))
        world.lose_store()
        world.start(world.edge)
        check_all(world)


def test_a_server_that_dies_over_a_question_is_asked_again() -> None:
    with World() as world:
        page = world.pages[2]
        world.do(page.forget)
        world.disks.delay_s[world.relay.database] = 0.05
        world.do(page.open)
        world.advance(page.http_s + 0.01)  # the relay looks up who asks
        world.kill(world.relay)
        world.advance(1)
        check_all(world)
