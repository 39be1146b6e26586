"""One connection after the other: when to open, when to give up, when to come back. Pure."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from laundryd.live.following.actions import Action, Connect, Drop, Send, Show, State
from laundryd.wire import frames

FIRST_BACKOFF: Final = frames.Backoff(first_s=1, factor=2, cap_s=30)
"""Until the first welcome says the server's own."""
TRIES_BEFORE_OFFLINE: Final = 5
"""Tries that fail before a reader is told that the client is offline; it goes on trying."""
WELCOME_TIMEOUT_S: Final = 10.0
"""A server that accepts a connection and says nothing is as good as none."""
WAKE_TIMEOUT_S: Final = 5.0
"""After waking, a connection that does not answer this soon is dead."""
ANSWER_TIMEOUT_S: Final = 10.0
"""Longest wait for the answer to a ping: two retransmissions of a slow mobile network."""
ANSWER_LEAST_S: Final = 1.0
"""However short the heartbeat: a busy computer takes its time."""
RETRY_AFTER_MAX_S: Final = 300.0
"""Longest wait that a server may ask for (``Retry-After``): a mistaken header must not end a client."""
_COME_LATER: Final = frozenset({429, 503})
"""Answers that ``Retry-After`` goes with (RFC 6585 section 4, RFC 9110 section 15.6.4)."""
FIRST_HEARTBEAT_S: Final = 30.0
"""Until the first welcome."""


def asked_wait_s(status: int | None, retry_after_s: float | None) -> float:
    """Return how long an answer asks us to stay away; the backoff's own wait is added, as jitter."""
    if status not in _COME_LATER or retry_after_s is None:
        return 0.0
    return min(max(0.0, retry_after_s), RETRY_AFTER_MAX_S)


class Phase(Enum):
    """Where the connection stands."""

    IDLE = auto()
    OPENING = auto()
    """From the first packet until the welcome."""
    LIVE = auto()
    WAITING = auto()
    """For the moment of the next try."""
    STOPPED = auto()


class Backoff:
    """Spans that grow from try to try, each spread over its whole length: full jitter."""

    def __init__(self, random: Callable[[], float]) -> None:
        self.rule = FIRST_BACKOFF
        self._random = random
        self._span_s = self.rule.first_s
        self._is_fresh = True

    def reset(self) -> None:
        """Begin with the first span again."""
        self._is_fresh = True

    def next_wait_s(self) -> float:
        """Return how long to wait before the next try."""
        # Grown step by step: a power of the number of tries overflows after a day without a server.
        grown_s = self.rule.first_s if self._is_fresh else self._span_s * self.rule.factor
        self._is_fresh = False
        self._span_s = min(self.rule.cap_s, grown_s)
        return self._random() * self._span_s


class Link:
    """``due_s`` is the moment at which ``tick`` must be called next, None: never."""

    def __init__(self, random: Callable[[], float]) -> None:
        self.phase = Phase.IDLE
        self.due_s: float | None = None
        self.backoff = Backoff(random)
        self.is_open = False
        """Whether the handshake of the newest connection is done."""
        self._state = State.CONNECTING
        self._heartbeat_s = FIRST_HEARTBEAT_S
        self._failed = 0
        self._is_asked = False
        """A ping was sent and nothing came since."""
        self._not_before_s = 0.0
        """The moment before which the server does not want us, whoever comes back."""

    def open(self, now_s: float) -> list[Action]:
        """Try now."""
        self.phase = Phase.OPENING
        self.is_open = False
        self.due_s = now_s + WELCOME_TIMEOUT_S
        return [Connect()]

    def opened(self) -> None:
        """Await the welcome: the connection is open."""
        self.is_open = True

    def welcomed(self, frame: frames.Welcome, now_s: float) -> list[Action]:
        """Take the welcome: the next loss begins with the first span again."""
        self.phase = Phase.LIVE
        self.backoff.rule = frame.backoff
        self.backoff.reset()
        self._heartbeat_s = frame.heartbeat_s
        self._failed = 0
        self.heard(now_s)
        return self._show(State.LIVE)

    def heard(self, now_s: float) -> None:
        """Something came: the server lives."""
        if self.phase is Phase.LIVE:
            self._is_asked = False
            self.due_s = now_s + self._heartbeat_s

    def wake(self, now_s: float) -> list[Action]:
        """Try at once, or ask a connection whether it lives: the network or the reader is back.

        The backoff goes on where it was, so that a network that comes and goes is not hammered.
        """
        if self.phase is Phase.WAITING:
            return self.open(now_s) if now_s >= self._not_before_s else []
        if self.phase is Phase.LIVE and not self._is_asked:
            return self._ask(now_s, WAKE_TIMEOUT_S)
        if self.due_s is not None:
            # Opening, or asked already: waking again and again must not put off the end.
            self.due_s = min(self.due_s, now_s + WAKE_TIMEOUT_S)
        return []

    def lost(self, now_s: float) -> list[Action]:
        """Wait for the next try: the connection is gone, or never came."""
        if self.phase is not Phase.LIVE:
            self._failed += 1
        self.phase = Phase.WAITING
        self.due_s = now_s + self.backoff.next_wait_s()
        is_offline = self._failed >= TRIES_BEFORE_OFFLINE
        return self._show(State.OFFLINE if is_offline else State.CONNECTING)

    def asked_to_wait(self, wait_s: float, now_s: float) -> None:
        """Put the next try off by what the server asks for; one that is under way is not."""
        if self.phase is Phase.WAITING and self.due_s is not None and wait_s > 0:
            self._not_before_s = now_s + wait_s
            self.due_s += wait_s

    def give_up(self, now_s: float) -> list[Action]:
        """Drop the connection and come back."""
        return [Drop(), *self.lost(now_s)]

    def stop(self) -> list[Action]:
        """Drop the connection, if there is one, and end for good."""
        has_connection = self.phase in {Phase.OPENING, Phase.LIVE}
        return [*([Drop()] if has_connection else []), *self.end()]

    def end(self) -> list[Action]:
        """End for good, with the connection already gone."""
        self.phase = Phase.STOPPED
        self.due_s = None
        return self._show(State.STOPPED)

    def tick(self, now_s: float) -> list[Action]:
        """Do what is due."""
        if self.due_s is None or now_s < self.due_s:
            return []
        if self.phase is Phase.WAITING:
            return self.open(now_s)
        if self.phase is Phase.LIVE and not self._is_asked:
            return self._ask(now_s, max(ANSWER_LEAST_S, min(self._heartbeat_s, ANSWER_TIMEOUT_S)))
        return self.give_up(now_s)

    def _ask(self, now_s: float, within_s: float) -> list[Action]:
        self._is_asked = True
        self.due_s = now_s + within_s
        return [Send(frames.Ping())]

    def _show(self, state: State) -> list[Action]:
        if state is self._state:
            return []
        self._state = state
        return [Show(state)]
