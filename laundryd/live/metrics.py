"""Prometheus metrics of the session server, one row each; ``server`` is the label of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from laundryd.wire.errors import ErrorCode

CONNECTIONS: Final = Gauge(
    "laundryd_live_connections", "Open WebSocket connections, handshakes included.", ["server"]
)
SESSIONS: Final = Gauge(
    "laundryd_live_sessions",
    "Identified sessions, those that dropped just now included.",
    ["server"],
)
REFUSED: Final = Counter(
    "laundryd_live_refused",
    "Handshakes refused before the upgrade, by error code.",
    ["server", "code"],
)
CLOSED: Final = Counter(
    "laundryd_live_closed", "Connections closed by the server, by close code.", ["server", "code"]
)
RESUMES: Final = Counter(
    "laundryd_live_resumes",
    "Rooms named in identify, by what became of them.",
    ["server", "outcome"],
)
EVENTS: Final = Counter(
    "laundryd_live_events", "Public events given to the server to send.", ["server"]
)
LATENCY: Final = Histogram(
    "laundryd_live_event_to_frame_seconds",
    "Seconds from an event's arrival at the server until its frame was handed to the last connection "
    "of its room: the wait for its batch, and the fan-out.",
    ["server"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5),
)
SLOW_READERS: Final = Gauge(
    "laundryd_live_slow_readers", "Connections for which frames wait, a second ago.", ["server"]
)
QUEUED_FRAMES: Final = Gauge(
    "laundryd_live_queued_frames",
    "Frames that wait for slow readers, over all connections, a second ago.",
    ["server"],
)
QUEUED_BYTES: Final = Gauge(
    "laundryd_live_queued_bytes",
    "Bytes of the frames that wait for slow readers, over all connections, a second ago.",
    ["server"],
)
LONGEST_QUEUE: Final = Gauge(
    "laundryd_live_longest_queue_frames",
    "Frames that wait for the slowest reader, a second ago; at queue_max it is closed.",
    ["server"],
)
FRAMES: Final = Counter(
    "laundryd_live_frames", "Frames handed to connections, by type.", ["server", "type"]
)
ERRORS: Final = Counter(
    "laundryd_live_errors", "Refused frames and failures, by error code.", ["server", "code"]
)


class Counts:
    """The metrics of one server, by its name."""

    def __init__(self, server: str) -> None:
        self._server = server
        self.connections = CONNECTIONS.labels(server)
        self.sessions = SESSIONS.labels(server)
        self.events = EVENTS.labels(server)
        self._latency = LATENCY.labels(server)
        self._slow_readers = SLOW_READERS.labels(server)
        self._queued_frames = QUEUED_FRAMES.labels(server)
        self._queued_bytes = QUEUED_BYTES.labels(server)
        self._longest_queue = LONGEST_QUEUE.labels(server)

    def refused(self, code: ErrorCode) -> None:
        """Count a handshake that was refused."""
        REFUSED.labels(self._server, code).inc()

    def closed(self, code: int) -> None:
        """Count a connection that the server closed."""
        CLOSED.labels(self._server, str(code)).inc()

    def resumed(self, outcome: str) -> None:
        """Count a room that a client named."""
        RESUMES.labels(self._server, outcome).inc()

    def frames(self, kind: str, number: int = 1) -> None:
        """Count frames on their way to connections."""
        FRAMES.labels(self._server, kind).inc(number)

    def delivered(self, given_s: Iterable[float], now_s: float) -> None:
        """Note that the events given at the moments ``given_s`` are handed to connections at ``now_s``."""
        for moment_s in given_s:
            self._latency.observe(now_s - moment_s)

    def queues(self, frames_and_bytes: list[tuple[int, int]]) -> None:
        """Note what waits for each slow reader."""
        self._slow_readers.set(len(frames_and_bytes))
        self._queued_frames.set(sum(frames for frames, _ in frames_and_bytes))
        self._queued_bytes.set(sum(size for _, size in frames_and_bytes))
        self._longest_queue.set(max((frames for frames, _ in frames_and_bytes), default=0))

    def error(self, code: ErrorCode) -> None:
        """Count a refused frame or a failure of ours."""
        ERRORS.labels(self._server, code).inc()
