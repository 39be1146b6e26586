"""When to ask which plug for its values: at each connect all, later those that say nothing. Pure.

Left alone, a Tasmota plug reports every five minutes: half a wash's warning would be gone before its
start was seen. Asking needs nothing set on the plug.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from edge.sources.source import Ask

ASK_AFTER_S: Final = 30.0
"""Real seconds without a measurement, and since it was asked, after which a plug is asked. Two of them
make the minute of work that a start needs; 200 plugs cost seven small messages a second at most."""
LOOK_EVERY_S: Final = 5.0
"""Real seconds between two looks for plugs that are due, so that a question is at most this much late."""


class Asking:
    """Remembers when each machine was measured and each plug was asked. Moments are monotonic seconds.

    ``asks``: question -> the machines that its answer measures; several may share a plug.
    """

    def __init__(self, asks: Mapping[Ask, Collection[str]], after_s: float = ASK_AFTER_S) -> None:
        self._asks = dict(asks)
        self._after_s = after_s
        self._heard_s: dict[str, float] = {}
        self._asked_s: dict[Ask, float] = {}

    def heard(self, machine: str, now_s: float) -> None:
        """Take note that ``machine`` was measured."""
        self._heard_s[machine] = now_s

    def everyone(self, now_s: float) -> list[Ask]:
        """Return what to ask now that the broker is back: every plug, whatever was heard before."""
        self._asked_s = dict.fromkeys(self._asks, now_s)
        return list(self._asks)

    def due(self, now_s: float) -> list[Ask]:
        """Return what to ask at ``now_s``, each plug once, and take note that it is asked."""
        due = [ask for ask in self._asks if self._is_due(ask, now_s - self._after_s)]
        self._asked_s.update(dict.fromkeys(due, now_s))
        return due

    def _is_due(self, ask: Ask, since_s: float) -> bool:
        asked_s = self._asked_s.get(ask)
        if asked_s is not None and asked_s > since_s:
            return False
        heard_s = (self._heard_s.get(machine) for machine in self._asks[ask])
        return any(one_s is None or one_s <= since_s for one_s in heard_s)
