from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laundryd.demo.push_mailbox import PENDING_MAX, Mailbox, StoredMessage
from laundryd.demo.push_request import PushMessage, PushRefusedError


def message(
    topic: str | None = None, *, ttl_s: int = 60, at_s: float = 0.0, channel: str = "c"
) -> StoredMessage:
    return StoredMessage(channel, PushMessage(topic, ttl_s, "normal", b""), at_s)


def test_what_waits_arrives_in_order_when_the_receiver_comes() -> None:
    mailbox, got = Mailbox(), list[StoredMessage]()
    sent = [message(), message(), message()]
    for one in sent:
        mailbox.put(one, now_s=0)
    mailbox.connect(got.append, now_s=1)
    assert got == sent


def test_a_topic_replaces_only_the_undelivered_one_of_its_own_channel() -> None:
    mailbox = Mailbox()
    kept = [message("b"), message(None), message("a", channel="other")]
    for one in (message("a"), *kept, newest := message("a")):
        mailbox.put(one, now_s=0)
    assert mailbox.pending == [*kept, newest]


def test_a_message_that_was_not_acknowledged_comes_again() -> None:
    mailbox, first, second = Mailbox(), list[StoredMessage](), list[StoredMessage]()
    mailbox.connect(first.append, now_s=0)
    mailbox.put(lost := message(), now_s=0)
    mailbox.put(had := message(), now_s=0)
    mailbox.acknowledge(had.version)
    mailbox.disconnect(first.append)
    mailbox.connect(second.append, now_s=1)
    assert second == [lost]


def test_the_end_of_an_old_connection_leaves_a_newer_one_alone() -> None:
    mailbox, old, new = Mailbox(), list[StoredMessage](), list[StoredMessage]()
    mailbox.connect(old.append, now_s=0)
    mailbox.connect(new.append, now_s=0)
    mailbox.disconnect(old.append)
    mailbox.put(one := message(), now_s=0)
    assert (old, new) == ([], [one])


def test_ttl_zero_reaches_only_who_is_there() -> None:
    mailbox, got = Mailbox(), list[StoredMessage]()
    mailbox.put(message(ttl_s=0), now_s=0)
    assert mailbox.pending == []
    mailbox.connect(got.append, now_s=0)
    mailbox.put(one := message(ttl_s=0), now_s=0)
    assert got == [one]


def test_a_full_mailbox_asks_the_sender_to_wait() -> None:
    mailbox = Mailbox()
    for _ in range(PENDING_MAX):
        mailbox.put(message(ttl_s=60), now_s=0)
    with pytest.raises(PushRefusedError) as refused:
        mailbox.put(message(), now_s=59)
    assert (refused.value.status, refused.value.retry_after_s) == (429, 60)
    mailbox.put(later := message(at_s=60), now_s=60)
    assert mailbox.pending == [later]


@given(
    sent=st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 20), st.integers(0, 5)),
        max_size=30,
    )
)
def test_each_topic_waits_once_and_nothing_waits_longer_than_its_ttl(
    sent: list[tuple[str | None, int, int]],
) -> None:
    mailbox, now_s = Mailbox(), 0.0
    for topic, ttl_s, pause_s in sent:
        now_s += pause_s
        mailbox.put(message(topic, ttl_s=ttl_s, at_s=now_s), now_s=now_s)
    got = list[StoredMessage]()
    mailbox.connect(got.append, now_s=now_s)
    topics = [one.message.topic for one in got if one.message.topic]
    assert len(topics) == len(set(topics))
    assert all(now_s < one.accepted_at_s + one.message.ttl_s for one in got)
    assert [one.accepted_at_s for one in got] == sorted(one.accepted_at_s for one in got)
