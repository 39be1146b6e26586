"""What a finder says of one machine, in Unix seconds. The times are those of the signals of this name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Start:
    """A cycle began at ``started_s``."""

    started_s: float


@dataclass(frozen=True, slots=True)
class End:
    """The cycle that began at ``started_s`` was last at work at ``ended_s``."""

    started_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """The end at ``ended_s`` was none: the cycle that began at ``started_s`` goes on."""

    started_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class Left:
    """The running cycle is expected to end at ``ends_s``; ``is_soon``: in about five minutes."""

    started_s: float
    ends_s: float
    confidence: float
    is_soon: bool


Mark = Start | End | Resumed | Left
