from __future__ import annotations

from laundryd.wire.events import Entry
from laundryd.wire.uplink import HELLO_EVERY_S, LEASE_S, UpEvents, up_events_json


def test_a_batch_is_written_from_what_the_journal_keeps_as_if_its_entries_had_been_read() -> None:
    entries = [Entry(epoch="e1", offset=offset, run="r1") for offset in (3, 4)]
    for kept in (entries, []):
        batch = UpEvents(entries=kept, caught_up=True, after=2, after_run="r1", word="w1")
        bare = batch.model_copy(update={"entries": []})
        written = up_events_json(bare, [one.model_dump_json() for one in kept])
        assert written == batch.model_dump_json().encode()


def test_a_lease_outlives_two_signs_of_life_that_got_lost() -> None:
    assert LEASE_S > 2 * HELLO_EVERY_S
