"""A detector's state and what it learned, as JSON and back: versioned, refused when damaged."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from typing import Annotated, Final, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
)

from edge.detect.library import KEPT_CYCLES, LONGEST_BINS, Library, PastCycle
from edge.detect.state import FinderState
from laundryd.wire.machines import MachineKind

STATE_VERSION: Final = 2
"""Raised when a kept state no longer means the same; another version is refused, not guessed at."""
LEARNED_VERSION: Final = 1
"""The same for what was learned, which is worth more: raise it only when it must be thrown away."""

_Kept = TypeVar("_Kept")


class DetectorStateError(ValueError):
    """A kept detector state cannot be used; begin with a new detector."""


def _from_hex(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("bins are a text of hexadecimal digits")  # noqa: TRY004 -- pydantic's way
    try:
        return binascii.unhexlify(text)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(str(error)) from error


_Bins = Annotated[
    bytes, BeforeValidator(_from_hex), PlainSerializer(lambda bins: bytes(bins).hex())
]


class _KeptCycle(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    levels: _Bins = Field(min_length=1, max_length=LONGEST_BINS)
    length_s: float = Field(gt=0)
    rest_w: float | None


class _KeptLearned(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    kind: str
    cycles: list[_KeptCycle] = Field(max_length=KEPT_CYCLES)


_STATE: Final = TypeAdapter(FinderState)


def state_to(kind: MachineKind, state: FinderState) -> dict[str, object]:
    """Write the running state of a machine of a ``kind``."""
    written: dict[str, object] = _STATE.dump_python(state, mode="json")
    return {"version": STATE_VERSION, "kind": kind.value, "state": written}


def state_from(kind: MachineKind, kept: Mapping[str, object]) -> FinderState:
    """Read what ``state_to`` wrote.

    Raises:
        DetectorStateError: it is of another version or kind of machine, or damaged.

    """
    _check(kind, kept, STATE_VERSION, "state")
    state = _read(lambda: _STATE.validate_python(kept.get("state")), f"state of a {kind.value}")
    if state_to(kind, state) != kept:
        raise DetectorStateError(
            f"kept detector state of a {kind.value} lacks or adds something: it begins anew"
        )
    return state


def learned_to(kind: MachineKind, library: Library) -> dict[str, object]:
    """Write what the past cycles of a machine of a ``kind`` taught."""
    cycles = [
        _KeptCycle.model_construct(
            levels=cycle.levels, length_s=cycle.length_s, rest_w=cycle.rest_w
        )
        for cycle in library.cycles
    ]
    return _KeptLearned.model_construct(
        version=LEARNED_VERSION, kind=kind.value, cycles=cycles
    ).model_dump(mode="json")


def learned_from(kind: MachineKind, learned: Mapping[str, object]) -> Library:
    """Read what ``learned_to`` wrote.

    Raises:
        DetectorStateError: it is of another version or kind of machine, or damaged.

    """
    _check(kind, learned, LEARNED_VERSION, "learning")
    read = _read(lambda: _KeptLearned.model_validate(learned), f"learning of a {kind.value}")
    return Library([PastCycle(one.levels, one.length_s, one.rest_w) for one in read.cycles])


def _check(kind: MachineKind, kept: Mapping[str, object], version: int, what: str) -> None:
    kept_version, kept_kind = kept.get("version"), kept.get("kind")
    if kept_version != version or kept_kind != kind.value:
        raise DetectorStateError(
            f"kept detector {what} is version {kept_version!r} of a {kept_kind!r}; "
            f"this is version {version} of a {kind.value!r}: it begins anew"
        )


def _read(read: Callable[[], _Kept], what: str) -> _Kept:
    try:
        return read()
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, one["loc"])) for one in error.errors()[:3])
        raise DetectorStateError(
            f"kept detector {what} is damaged ({error.error_count()} wrong fields: {wrong}): "
            "it begins anew"
        ) from error
