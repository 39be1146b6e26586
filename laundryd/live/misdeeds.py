"""Who errs too often: refused frames of each resident, over all their connections. Pure.

A page that errs is seldom alone: the same script runs in each of its tabs, and a connection that was
closed comes back. So the resident is counted, not the connection, and shut out for a stated time.
"""

from __future__ import annotations

from dataclasses import dataclass

from laundryd.wire.ids import ResidentId


@dataclass(slots=True)
class _Count:
    errors: int
    since_s: float
    shut_out_until_s: float = 0.0


class Misdeeds:
    """More than ``errors_max`` in ``window_s`` seconds shut a resident out for ``shut_out_s``.

    Moments are real monotonic seconds.
    """

    def __init__(self, *, errors_max: int, window_s: float, shut_out_s: float) -> None:
        self._errors_max = errors_max
        self._window_s = window_s
        self._shut_out_s = shut_out_s
        self._counts: dict[ResidentId, _Count] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, resident: ResidentId, now_s: float) -> bool:
        """Count one error; True if that was one too many, and each one after it until they are let in."""
        found = self._counts.get(resident)
        if found is None or self._is_over(found, now_s):
            found = self._counts[resident] = _Count(0, now_s)
        found.errors += 1
        if found.errors <= self._errors_max:
            return False
        found.shut_out_until_s = max(found.shut_out_until_s, now_s + self._shut_out_s)
        return True

    def shut_out_for_s(self, resident: ResidentId, now_s: float) -> float:
        """Return the seconds until ``resident`` is let in again; 0 for everybody else."""
        found = self._counts.get(resident)
        return 0.0 if found is None else max(0.0, found.shut_out_until_s - now_s)

    def sweep(self, now_s: float) -> None:
        """Forget what counts no more."""
        for resident, found in list(self._counts.items()):
            if self._is_over(found, now_s):
                del self._counts[resident]

    def _is_over(self, found: _Count, now_s: float) -> bool:
        return now_s >= max(found.since_s + self._window_s, found.shut_out_until_s)
