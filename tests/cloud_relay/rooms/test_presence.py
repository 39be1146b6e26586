from __future__ import annotations

from cloud_relay.rooms.presence import EdgePresence
from laundryd.wire.uplink import UpPresence
from tests.cloud_relay.world import ME, OTHER, hello, presence

CELLAR, ATTIC = "maple-hall.cellar", "maple-hall.attic"


def test_a_resident_is_attentive_if_any_session_at_any_edge_is() -> None:
    edges = EdgePresence()
    edges.update(CELLAR, presence(1, attentive=False))
    assert (edges.open(ME), edges.attentive(ME)) == (True, False)
    edges.update(ATTIC, presence(1))
    assert edges.attentive(ME)
    assert not edges.open(OTHER)


def test_presence_is_whole_so_who_is_missing_has_left() -> None:
    edges = EdgePresence()
    edges.update(CELLAR, presence(1))
    assert edges.update(CELLAR, UpPresence(seq=2, sessions=[]))
    assert not edges.open(ME)


def test_a_stale_sequence_changes_nothing_until_the_edge_connects_anew() -> None:
    edges = EdgePresence()
    edges.update(CELLAR, presence(7))
    assert not edges.update(CELLAR, UpPresence(seq=6, sessions=[]))
    assert edges.connected(CELLAR, hello(0, word="h2", run="r1", nth=2))
    assert edges.attentive(ME), "what was said stands"
    assert edges.update(CELLAR, UpPresence(seq=1, hello="h2", sessions=[]))
    assert not edges.open(ME)


def test_presence_lapses_with_its_edge_alone() -> None:
    edges = EdgePresence()
    edges.update(CELLAR, presence(1))
    edges.update(ATTIC, presence(1, resident=OTHER))
    edges.lapse(CELLAR)
    assert not edges.open(ME)
    assert edges.attentive(OTHER)


def test_a_hello_that_comes_late_or_twice_begins_nothing() -> None:
    edges = EdgePresence()
    assert edges.connected(CELLAR, hello(0, word="h2", run="r1", nth=2))
    edges.update(CELLAR, UpPresence(seq=1, hello="h2", sessions=presence(1).sessions))
    assert not edges.connected(CELLAR, hello(0, word="h1", run="r1", nth=1))
    assert not edges.connected(CELLAR, hello(0, word="h2", run="r1", nth=2))
    assert edges.connected(CELLAR, hello(0, word="g1", run="r2", nth=1)), "the edge began anew"
    assert not edges.connected(CELLAR, hello(0, word="h3", run="r1", nth=3)), "that run has ended"
    assert edges.is_current(CELLAR, "g1")
    assert not edges.update(CELLAR, UpPresence(seq=9, hello="h2", sessions=[])), "of an old one"
    assert edges.attentive(ME)


def test_a_hello_said_again_on_a_connection_begins_nothing_and_may_come_before_the_first() -> None:
    edges = EdgePresence()
    assert edges.connected(CELLAR, hello(0, word="h2", connection="h1", run="r1", nth=2))
    assert edges.update(CELLAR, UpPresence(seq=1, hello="h1", sessions=presence(1).sessions))
    assert not edges.connected(CELLAR, hello(0, word="h3", connection="h1", run="r1", nth=3))
    assert edges.is_current(CELLAR, "h1"), "what names the connection is heard on"
    assert not edges.update(CELLAR, UpPresence(seq=1, hello="h1", sessions=[])), (
        "nor is its sequence"
    )
    assert not edges.connected(CELLAR, hello(0, word="h1", connection="h1", run="r1", nth=1))
    assert edges.connected(CELLAR, hello(0, word="h4", connection="h4", run="r1", nth=4))
    assert not edges.is_current(CELLAR, "h1")
    assert edges.connected(CELLAR, hello(0, word="g1", connection="h4", run="r2", nth=1))
