"""Limits and timers of the live protocol. All timers are real time, whatever the room's clock does."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from laundryd.wire import frames
from laundryd.wire.frames import FRAME_MAX_BYTES

_SWEEPS_A_TIMER: Final = 8
"""The sweep runs this often within the shortest timer, so that a timer is at most an eighth late."""
_SWEEP_SLOWEST_S: Final = 1.0
"""The sweep runs at least once a second: it costs about 0.2 ms for 1,000 sessions."""


class LiveSettings(BaseModel):
    """Settings of the session server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allowed_hosts: frozenset[str] = Field(
        default=frozenset({"localhost", "127.0.0.1", "[::1]"}),
        description="Host headers that are answered, name or name:port; * for any. "
        "Others could be a foreign name rebound to our address.",
    )
    allowed_origins: frozenset[str] = Field(
        default=frozenset(),
        description="Further origins whose pages may connect, scheme://host[:port]. The page served "
        "under an allowed host always may.",
    )
    connections_max: int = Field(
        default=1_000,
        ge=1,
        description="Open connections a process. Each costs about 17 KB, and the process needs two "
        "file descriptors to spare: raise LimitNOFILE first.",
    )
    connections_per_address_max: int = Field(
        default=500,
        ge=1,
        description="Open connections from one address, or one IPv6 network of 64 bits: half a process, "
        "because a whole house may come from one address. This computer's own are not counted: "
        "behind them stands a proxy that does not say whom it speaks for.",
    )
    connections_per_resident_max: int = Field(
        default=20,
        ge=1,
        description="Open connections of one resident: a phone, a tablet and a laptop with some tabs. "
        "As many sessions are remembered of them, dropped ones included.",
    )
    retry_after_s: float = Field(
        default=5,
        ge=1,
        description="Seconds that a connection over the limit is asked to wait: about one backoff.",
    )
    identify_s: float = Field(
        default=5,
        gt=0,
        description="Seconds from the handshake to the identify frame: a page sends it at once, and "
        "a slow phone within two round trips.",
    )
    heartbeat_s: float = Field(
        default=30,
        gt=0,
        description="Seconds of silence before the server pings; two of them without an answer end "
        "the connection. Below the 60 s after which home routers and proxies forget a flow.",
    )
    attentive_s: float = Field(
        default=120,
        gt=0,
        description="Seconds after the last touch in which a visible page counts as looked at: "
        "long enough to read it, too short for a phone that was put down.",
    )
    linger_s: float = Field(
        default=5,
        ge=0,
        description="Seconds that a dropped session still counts as it was, so that a change of "
        "network is not taken for absence: the deadline of an acknowledgement.",
    )
    batch_ms: int = Field(
        default=100,
        ge=0,
        description="Milliseconds of a burst that are gathered into one frame; no eye sees less. A "
        "room's event that comes alone goes at once.",
    )
    batch_max: int = Field(
        default=100, ge=1, description="Events in one frame: about 40 KB at 400 bytes an event."
    )
    urgent_max: int = Field(
        default=4,
        ge=0,
        description="Urgent events (done, fault) of a room that go at once within batch_ms; two machines "
        "seldom end in the same tenth of a second, and after a power cut all of them do.",
    )
    replay_max: int = Field(
        default=300,
        ge=0,
        description="Missed events that are replayed; beyond them a snapshot is smaller.",
    )
    replay_age_s: float = Field(
        default=86_400,
        gt=0,
        description="Room seconds back to which missed events are replayed: who was away for longer than "
        "a day wants to see how the room is, not how it came about.",
    )
    queue_max: int = Field(
        default=256,
        ge=1,
        description="Frames that wait for one slow reader before it is closed and must resume: half "
        "a minute of a busy room's batches. Texts are shared, so a frame costs some 100 bytes.",
    )
    queue_max_bytes: int = Field(
        default=524_288,
        ge=65_536,
        description="Bytes of the frames that wait for one slow reader, before it is closed as well: twice "
        "what 300 missed events and their room's batches take, which are not shared while they wait.",
    )
    close_grace_s: float = Field(
        default=5,
        gt=0,
        description="Seconds that a reader who takes nothing has for the close frame; then the "
        "connection is cut, because its buffers would stay for as long as it lives.",
    )
    frame_max_bytes: int = Field(
        default=FRAME_MAX_BYTES,
        ge=1_024,
        le=FRAME_MAX_BYTES,
        description="Bytes of a client's frame: 100 notice ids and 20 rooms need less than 4 KiB.",
    )
    commands_max: int = Field(
        default=4,
        ge=1,
        description="Commands of one session under way at once: nobody taps faster than rooms answer.",
    )
    errors_max: int = Field(
        default=20,
        ge=1,
        description="Refused frames of one resident in a minute, over all their connections, before "
        "the connection that errs is closed: a person's mistakes are fewer, a program in a loop is "
        "quickly over.",
    )
    shut_out_s: float = Field(
        default=60,
        gt=0,
        description="Seconds in which a resident with too many refused frames is let in by no new "
        "handshake: long enough to make a loop harmless, short enough for who mended it.",
    )
    backoff_first_s: float = Field(
        default=1,
        gt=0,
        description="Seconds within which the first return falls: "
        "hardly noticed, and a house does not come back all at once.",
    )
    backoff_factor: float = Field(
        default=2, ge=1, description="Growth of that span at each failed try; a plain number."
    )
    backoff_cap_s: float = Field(
        default=30, gt=0, description="Longest span, seconds: a resident does not wait longer."
    )

    @field_validator("allowed_hosts")
    @classmethod
    def _lower_case(cls, hosts: frozenset[str]) -> frozenset[str]:
        # Names are compared without case (RFC 9110, section 4.2.3), however an admin writes them.
        return frozenset(host.lower() for host in hosts)

    @property
    def backoff(self) -> frames.Backoff:
        """What ``welcome`` tells clients about coming back."""
        return frames.Backoff(
            first_s=self.backoff_first_s, factor=self.backoff_factor, cap_s=self.backoff_cap_s
        )

    @property
    def batch_s(self) -> float:
        """``batch_ms`` in seconds."""
        return self.batch_ms / 1_000

    @property
    def sweep_s(self) -> float:
        """Seconds between two looks at all timers of all connections."""
        shortest_s = min(self.identify_s, self.heartbeat_s, self.attentive_s, self.linger_s or 1)
        return min(_SWEEP_SLOWEST_S, shortest_s / _SWEEPS_A_TIMER)
