from __future__ import annotations

from datetime import UTC, datetime

from edge.local.presence import present
from laundryd.live.sessions import SessionView
from laundryd.wire.uplink import MAX_SESSIONS, UpPresence


def view(name: str, *, attentive: bool = False, connected: bool = True) -> SessionView:
    return SessionView(
        session_id=name,
        resident=f"of-{name}",
        device="d",
        attentive=attentive,
        visible=attentive,
        connected=connected,
        connected_since=datetime(2026, 11, 23, tzinfo=UTC),
    )


def test_everybody_is_told_with_whether_they_look() -> None:
    found = present([view("a"), view("b", attentive=True)])
    assert {(one.session_id, one.resident, one.attentive) for one in found} == {
        ("a", "of-a", False),
        ("b", "of-b", True),
    }


def test_more_sessions_than_a_message_takes_never_hide_who_looks() -> None:
    crowd = [view(f"x{number}", connected=False) for number in range(MAX_SESSIONS)]
    found = present([*crowd, view("here"), view("looks", attentive=True)])
    assert UpPresence(seq=1, sessions=found).sessions == found
    assert [one.session_id for one in found[:2]] == ["looks", "here"]
