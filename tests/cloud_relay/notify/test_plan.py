from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud_relay.notify.plan import ACK_DEADLINE, AS_EVER, PLANNED, Plan, Seen, Times, Wish, decide
from laundryd.live.settings import LiveSettings
from laundryd.wire.delivery import DeliveryState, Why
from laundryd.wire.preferences import Choice

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
AWAY, OPEN, ATTENTIVE = (
    Seen(attentive=False, open=False),
    Seen(attentive=False, open=True),
    Seen(attentive=True, open=True),
)

spans = st.integers(-100, 100).map(lambda s: timedelta(seconds=s))
seens = st.sampled_from([AWAY, OPEN, ATTENTIVE])
moments = st.none() | spans.map(lambda span: NOW + span)


def plan(
    seen: Seen,
    *,
    socket_tried: bool = False,
    useful_until: datetime = LATER,
    held_until: datetime | None = None,
    returning_until: datetime | None = None,
    wish: Wish = AS_EVER,
) -> Plan:
    times = Times(room=NOW, real=NOW, held_until=held_until, returning_until=returning_until)
    return decide(
        useful_until=useful_until, socket_tried=socket_tried, seen=seen, times=times, wish=wish
    )


def told(state: DeliveryState, why: Why, *, socket: bool, due_at: datetime | None) -> Plan:
    return Plan(state, socket=socket, due_at=due_at, why=why)


def test_attentive_goes_to_the_socket_and_to_push_after_the_deadline() -> None:
    deadline = NOW + ACK_DEADLINE
    assert plan(ATTENTIVE) == told(
        DeliveryState.WAITING, Why.ATTENTIVE, socket=True, due_at=deadline
    )
    unheard = plan(ATTENTIVE, socket_tried=True)
    assert unheard == told(DeliveryState.DUE, Why.NO_ANSWER, socket=False, due_at=NOW)


def test_away_is_pushed_at_once() -> None:
    assert plan(AWAY) == told(DeliveryState.DUE, Why.AWAY, socket=False, due_at=NOW)


def test_open_but_not_attentive_gets_both_at_once() -> None:
    assert plan(OPEN) == told(DeliveryState.DUE, Why.NOT_LOOKING, socket=True, due_at=NOW)


def test_nothing_is_told_after_its_use() -> None:
    assert plan(ATTENTIVE, useful_until=NOW).state is DeliveryState.EXPIRED


def test_a_held_room_tells_nobody() -> None:
    until = NOW + timedelta(seconds=3)
    assert plan(ATTENTIVE, held_until=until) == told(
        DeliveryState.HELD, Why.CATCHING_UP, socket=False, due_at=until
    )


def test_nobody_counts_as_away_while_sessions_come_back() -> None:
    until = NOW + timedelta(seconds=3)
    assert plan(AWAY, returning_until=until) == told(
        DeliveryState.WAITING, Why.RETURNING, socket=False, due_at=until
    )


def test_who_wants_nothing_of_a_kind_is_told_nothing() -> None:
    for seen in (ATTENTIVE, OPEN, AWAY):
        made = plan(seen, wish=Wish(Choice.NOTHING))
        assert made == told(DeliveryState.DECLINED, Why.WISHED, socket=False, due_at=None)


def test_app_only_waits_for_a_page_and_is_never_pushed() -> None:
    wish = Wish(Choice.APP_ONLY)
    assert plan(AWAY, wish=wish) == told(
        DeliveryState.APP_ONLY, Why.WISHED, socket=False, due_at=None
    )
    assert plan(OPEN, wish=wish) == told(
        DeliveryState.APP_ONLY, Why.WISHED, socket=True, due_at=None
    )
    assert plan(ATTENTIVE, wish=wish).state is DeliveryState.WAITING
    assert plan(ATTENTIVE, wish=wish, socket_tried=True).state is DeliveryState.APP_ONLY


def test_in_quiet_hours_a_push_waits_for_their_end_and_a_page_does_not() -> None:
    morning = NOW + timedelta(minutes=30)
    wish = Wish(quiet_until=morning)
    assert plan(AWAY, wish=wish) == told(
        DeliveryState.QUIET, Why.QUIET_HOURS, socket=False, due_at=morning
    )
    assert plan(OPEN, wish=wish).socket
    assert plan(ATTENTIVE, wish=wish).state is DeliveryState.WAITING
    assert plan(AWAY, wish=Wish(quiet_until=NOW)).state is DeliveryState.DUE


wishes = st.builds(Wish, st.sampled_from(Choice), moments)


@given(seens, st.booleans(), spans, moments, moments, wishes)
def test_every_plan_keeps_the_rules(  # noqa: PLR0917 -- hypothesis passes by position
    seen: Seen,
    socket_tried: bool,  # noqa: FBT001 -- hypothesis passes by position
    useful_for: timedelta,
    held_until: datetime | None,
    returning_until: datetime | None,
    wish: Wish,
) -> None:
    useful_until = NOW + useful_for
    made = plan(
        seen,
        socket_tried=socket_tried,
        useful_until=useful_until,
        held_until=held_until,
        returning_until=returning_until,
        wish=wish,
    )
    is_declined = wish.choice is Choice.NOTHING
    assert (made.state is DeliveryState.DECLINED) == is_declined
    assert (made.state is DeliveryState.EXPIRED) == (useful_until <= NOW and not is_declined)
    assert (made.due_at is not None) == (made.state in PLANNED)
    # Nothing is pushed that the resident did not want pushed, nor when they sleep.
    if made.state is DeliveryState.DUE:
        assert wish.choice is Choice.APP_AND_PUSH
        assert wish.quiet_until is None or wish.quiet_until <= NOW
    # Nothing goes to a socket that nobody has open, nor twice, nor while the room catches up.
    assert not (made.socket and (socket_tried or not seen.open))
    assert not (
        made.socket
        and made.state in {DeliveryState.HELD, DeliveryState.EXPIRED, DeliveryState.DECLINED}
    )
    if made.state is DeliveryState.DUE:
        assert made.due_at == NOW
        assert not seen.attentive or socket_tried
    elif made.due_at is not None:
        assert made.due_at > NOW


@given(st.lists(st.tuples(seens, st.integers(0, 20)), max_size=30), st.integers(1, 300))
def test_a_useful_notice_is_always_pushed_or_on_a_socket_within_ten_seconds(
    steps: list[tuple[Seen, int]], useful_s: int
) -> None:
    """Whoever comes and goes: a plan followed at its deadlines ends in a push soon."""
    useful_until, now, tried = NOW + timedelta(seconds=useful_s), NOW, False
    pushed_at: datetime | None = None
    presence = iter([*steps, *[(AWAY, 0)] * 5])
    for seen, _ in presence:
        times = Times(room=now, real=now)
        made = decide(useful_until=useful_until, socket_tried=tried, seen=seen, times=times)
        tried = tried or made.socket
        if made.state is DeliveryState.DUE:
            pushed_at = now
        if made.state is not DeliveryState.WAITING or made.due_at is None:
            break
        now = made.due_at
    assert pushed_at is not None or now >= useful_until
    assert now <= NOW + 2 * ACK_DEADLINE


def test_a_dropped_session_counts_for_as_long_as_an_acknowledgement_is_awaited() -> None:
    assert LiveSettings().linger_s == ACK_DEADLINE.total_seconds()
