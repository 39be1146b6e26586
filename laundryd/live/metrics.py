"""Prometheus metrics of the session server, one row each; ``server`` is the label of all of them."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

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

    def error(self, code: ErrorCode) -> None:
        """Count a refused frame or a failure of ours."""
        ERRORS.labels(self._server, code).inc()
