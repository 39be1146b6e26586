"""Messages on their way to one browser or phone: kept while it is away, replaced by Topic. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from laundryd.demo.push_request import PushMessage, PushRefusedError

PENDING_MAX = 100
"""Undelivered messages of one receiver. The next is refused with 429, as services protect themselves."""

PENDING_RETRY_AFTER_S = 60
"""What a sender is told to wait when a receiver's mailbox is full, in seconds."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message in a mailbox; ``accepted_at_s`` in seconds since 1970."""

    channel_id: str
    message: PushMessage
    accepted_at_s: float
    version: str = field(default_factory=lambda: uuid.uuid4().hex)

    def expired(self, now_s: float) -> bool:
        """Tell whether its time to live is over."""
        return now_s >= self.accepted_at_s + self.message.ttl_s

    def replaces(self, other: StoredMessage) -> bool:
        """Tell whether it takes the place of an undelivered ``other`` (RFC 8030 section 5.4)."""
        return (
            self.message.topic is not None
            and self.message.topic == other.message.topic
            and self.channel_id == other.channel_id
        )


Deliver = Callable[[StoredMessage], None]


@dataclass(slots=True)
class Mailbox:
    """The undelivered messages of one receiver, oldest first.

    ``deliver`` is None while the receiver is away. A message stays until it is acknowledged or too
    old, so one that was sent into a dying connection comes again.
    """

    pending: list[StoredMessage] = field(default_factory=list)
    deliver: Deliver | None = None

    def put(self, stored: StoredMessage, *, now_s: float) -> None:
        """Take a message; hand it over at once if the receiver is there.

        Raises:
            PushRefusedError: 429, ``PENDING_MAX`` messages wait already.

        """
        kept = [old for old in self._alive(now_s) if not stored.replaces(old)]
        if len(kept) >= PENDING_MAX:
            raise PushRefusedError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{PENDING_MAX} messages wait for this receiver",
                retry_after_s=PENDING_RETRY_AFTER_S,
            )
        if self.deliver is None:
            self.pending = kept if stored.expired(now_s) else [*kept, stored]
            return
        self.pending = [*kept, stored]
        self.deliver(stored)

    def connect(self, deliver: Deliver, *, now_s: float) -> None:
        """Hand over what waits, oldest first, and from now on at once: the receiver is there."""
        self.deliver = deliver
        self.pending = self._alive(now_s)
        for stored in tuple(self.pending):
            deliver(stored)

    def disconnect(self, deliver: Deliver) -> None:
        """Keep what comes, as the connection of ``deliver`` is gone; a newer connection stays."""
        if self.deliver == deliver:
            self.deliver = None

    def acknowledge(self, version: str) -> None:
        """Drop a message that was received; an unknown version is no error, it may have expired."""
        self.pending = [stored for stored in self.pending if stored.version != version]

    def drop_channel(self, channel_id: str) -> None:
        """Drop what waits for a subscription that is gone."""
        self.pending = [stored for stored in self.pending if stored.channel_id != channel_id]

    def _alive(self, now_s: float) -> list[StoredMessage]:
        return [stored for stored in self.pending if not stored.expired(now_s)]
