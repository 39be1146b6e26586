from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from laundryd.live.attention import Attention
from laundryd.live.kept import KeptSession
from laundryd.live.session_ids import SessionIds
from laundryd.live.sessions import Session, Sessions

AT = datetime(2026, 1, 5, tzinfo=UTC)
ATTENTIVE_S = 120.0
LINGER_S = 5.0
IDS = SessionIds(b"the server's key")
MINE = IDS.new("ann", "phone")


class TestSessions(RuleBasedStateMachine):
    """Connections of two residents come, speak late, die late; the sessions stay consistent."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions: Sessions[int] = Sessions(
            attentive_s=ATTENTIVE_S, linger_s=LINGER_S, per_resident_max=100, ids=IDS
        )
        self.owners: dict[str, tuple[str, str]] = {}
        self.now_s = 1_000.0
        self.links = count(1)
        self.open: dict[int, tuple[str, int, str, str]] = {}
        self.dead: list[tuple[str, int]] = []

    @rule(
        data=st.data(),
        resident=st.sampled_from(["ann", "ben"]),
        device=st.sampled_from(["phone", "tablet"]),
        visible=st.booleans(),
    )
    def connect(self, data: st.DataObject, resident: str, device: str, *, visible: bool) -> None:
        asked = data.draw(st.sampled_from([None, "invented", *self.owners]))
        link = next(self.links)
        session, replaced = self.sessions.attach(
            asked_id=asked,
            resident=resident,
            device=device,
            link=link,
            attention=Attention(visible=visible, touched_s=self.now_s),
            since=AT,
            now_s=self.now_s,
        )
        # Also one that was forgotten, or never known in this life of the server.
        theirs = asked is not None and self.owners.get(asked) == (resident, device)
        assert (session.session_id == asked) == theirs
        assert self.owners.setdefault(session.session_id, (resident, device)) == (resident, device)
        if replaced is not None:
            old = self.open.pop(replaced)
            assert old[2:] == (resident, device)
            self.dead.append(old[:2])
        self.open[link] = (session.session_id, session.generation, resident, device)

    @rule(data=st.data(), on_purpose=st.booleans())
    def disconnect(self, data: st.DataObject, *, on_purpose: bool) -> None:
        if not self.open:
            return
        link = data.draw(st.sampled_from(sorted(self.open)))
        session_id, generation, _, _ = self.open.pop(link)
        assert self.sessions.detach(session_id, generation, now_s=self.now_s, on_purpose=on_purpose)
        self.dead.append((session_id, generation))

    @rule(data=st.data())
    def an_old_connection_speaks_or_dies_late(self, data: st.DataObject) -> None:
        if not self.dead:
            return
        session_id, generation = data.draw(st.sampled_from(self.dead))
        before = list(self.sessions.views())
        assert not self.sessions.detach(session_id, generation, now_s=self.now_s, on_purpose=True)
        assert list(self.sessions.views()) == before

    @rule()
    def the_server_starts_again(self) -> None:
        self.sessions = Sessions(
            attentive_s=ATTENTIVE_S, linger_s=LINGER_S, per_resident_max=100, ids=IDS
        )
        self.open.clear()
        self.dead.clear()

    @rule(seconds=st.floats(0, 200))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds
        before = {v.session_id: v.attentive for v in self.sessions.views()}
        changed = self.sessions.sweep(self.now_s)
        after = {v.session_id: v.attentive for v in self.sessions.views()}
        assert changed == (before != after)

    @invariant()
    def every_open_connection_is_reachable_and_no_other(self) -> None:
        for resident in ("ann", "ben"):
            links = {link for link, row in self.open.items() if row[2] == resident}
            assert set(self.sessions.links(resident)) == links

    @invariant()
    def dropped_sessions_are_forgotten_in_time(self) -> None:
        open_ids = {row[0] for row in self.open.values()}
        assert {v.session_id for v in self.sessions.views() if v.connected} == open_ids


TestSessionsOverTime = TestSessions.TestCase
TestSessionsOverTime.settings = settings(max_examples=60, stateful_step_count=30)
del TestSessions


def attach(sessions: Sessions[str], link: str, now_s: float, *, touched_s: float) -> Session[str]:
    session, _ = sessions.attach(
        asked_id=MINE,
        resident="ann",
        device="phone",
        link=link,
        attention=Attention(visible=True, touched_s=touched_s),
        since=AT,
        now_s=now_s,
    )
    return session


def test_a_page_that_comes_back_untouched_is_not_attentive_by_coming_back() -> None:
    sessions: Sessions[str] = Sessions(
        attentive_s=ATTENTIVE_S, linger_s=LINGER_S, per_resident_max=100, ids=IDS
    )
    first = attach(sessions, "one", 0, touched_s=0)
    assert first.attentive
    assert sessions.sweep(ATTENTIVE_S)
    sessions.detach(MINE, first.generation, now_s=130, on_purpose=False)
    again = attach(sessions, "two", 131, touched_s=131)
    assert not again.attentive


def test_a_hidden_page_is_never_attentive_and_a_touched_one_is_for_two_minutes() -> None:
    hidden = Attention.told(visible=False, touched_s_ago=0, now_s=10)
    shown = Attention.told(visible=True, touched_s_ago=20, now_s=100)
    assert not hidden.is_attentive(10, ATTENTIVE_S)
    assert shown.is_attentive(199.9, ATTENTIVE_S)
    assert not shown.is_attentive(200, ATTENTIVE_S)


def test_who_comes_and_goes_for_ever_leaves_so_many_dropped_sessions_and_no_more() -> None:
    sessions: Sessions[int] = Sessions(
        attentive_s=ATTENTIVE_S, linger_s=LINGER_S, per_resident_max=3, ids=IDS
    )

    def come(resident: str, link: int) -> Session[int]:
        session, _ = sessions.attach(
            asked_id=None,
            resident=resident,
            device="phone",
            link=link,
            attention=Attention(visible=True, touched_s=0),
            since=AT,
            now_s=0,
        )
        return session

    bens, stays = come("ben", 0), come("ann", 1)
    for link in range(2, 100):
        gone = come("ann", link)
        sessions.detach(gone.session_id, gone.generation, now_s=0, on_purpose=False)
    left = [view.session_id for view in sessions.views("ann")]
    assert len(left) == 3
    assert stays.session_id in left, "one that is connected is never forgotten"
    assert gone.session_id in left, "the newest stays"
    sessions.detach(bens.session_id, bens.generation, now_s=0, on_purpose=False)
    assert [view.session_id for view in sessions.views("ben")] == [bens.session_id]


def test_a_dropped_session_counts_as_it_was_until_the_acknowledgement_deadline_and_no_longer() -> (
    None
):
    sessions: Sessions[str] = Sessions(
        attentive_s=ATTENTIVE_S, linger_s=LINGER_S, per_resident_max=100, ids=IDS
    )
    session = attach(sessions, "one", 0, touched_s=0)
    sessions.detach(MINE, session.generation, now_s=10, on_purpose=False)
    assert not sessions.sweep(10 + LINGER_S - 0.001)
    assert [(v.connected, v.attentive) for v in sessions.views("ann")] == [(False, True)]
    assert sessions.links("ann") == []
    assert sessions.sweep(10 + LINGER_S)
    assert list(sessions.views("ann")) == []


def test_a_hidden_page_is_away_at_once_also_while_it_is_dropped() -> None:
    sessions: Sessions[str] = Sessions(
        attentive_s=ATTENTIVE_S, linger_s=LINGER_S, per_resident_max=100, ids=IDS
    )
    session = attach(sessions, "one", 0, touched_s=0)
    hidden = Attention.told(visible=False, touched_s_ago=0, now_s=1)
    assert sessions.attend(MINE, session.generation, hidden, 1)
    sessions.detach(MINE, session.generation, now_s=2, on_purpose=False)
    assert [view.attentive for view in sessions.views("ann")] == [False]


def restored(kept: list[KeptSession], *, kept_s_ago: float) -> Sessions[str]:
    sessions: Sessions[str] = Sessions(
        attentive_s=ATTENTIVE_S, linger_s=LINGER_S, per_resident_max=100, ids=IDS
    )
    sessions.restore(kept, kept_s_ago=kept_s_ago, now_s=5_000)
    return sessions


def test_the_next_life_of_a_server_takes_sessions_for_dropped_just_now() -> None:
    first: Sessions[str] = Sessions(
        attentive_s=ATTENTIVE_S, linger_s=LINGER_S, per_resident_max=100, ids=IDS
    )
    attach(first, "one", 70, touched_s=70)
    kept = first.kept(now_s=100)
    assert [(one.attentive, one.touched_s_ago) for one in kept] == [(True, 30)]

    sessions = restored(kept, kept_s_ago=3)
    (view,) = sessions.views("ann")
    assert (view.session_id, view.connected, view.attentive) == (MINE, False, True)
    assert view.connected_since == AT
    again = attach(sessions, "two", 5_001, touched_s=5_001)
    assert (again.session_id, again.link) == (MINE, "two")
    assert again.attention.touched_s == 5_000, "who looked to the end looked until the restart"
    assert not sessions.sweep(5_000 + LINGER_S), "who came back stays"


def test_who_does_not_come_back_to_the_next_life_is_away_after_the_deadline() -> None:
    first: Sessions[str] = Sessions(
        attentive_s=ATTENTIVE_S, linger_s=LINGER_S, per_resident_max=100, ids=IDS
    )
    attach(first, "one", 0, touched_s=0)
    kept = first.kept(now_s=0)
    sessions = restored(kept, kept_s_ago=3)
    assert not sessions.sweep(5_000 + LINGER_S - 0.001)
    assert sessions.sweep(5_000 + LINGER_S)
    assert list(sessions.views()) == []


def test_who_did_not_look_does_not_look_in_the_next_life() -> None:
    first: Sessions[str] = Sessions(
        attentive_s=ATTENTIVE_S, linger_s=LINGER_S, per_resident_max=100, ids=IDS
    )
    attach(first, "one", 0, touched_s=0)
    assert first.sweep(ATTENTIVE_S), "they cease to look, which is written down"
    sessions = restored(first.kept(now_s=ATTENTIVE_S), kept_s_ago=3)
    assert [view.attentive for view in sessions.views()] == [False]
    again = attach(sessions, "two", 5_001, touched_s=5_001)
    assert again.attention.touched_s == 5_000 - ATTENTIVE_S - 3, "coming back is no touch"


def test_a_session_of_another_servers_making_is_not_taken_in() -> None:
    kept = KeptSession(
        session_id=SessionIds(b"another key").new("ann", "phone"),
        resident="ann",
        device="phone",
        connected_since=AT,
        visible=True,
        attentive=True,
        touched_s_ago=0,
    )
    assert list(restored([kept], kept_s_ago=0).views()) == []
