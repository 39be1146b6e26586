"""The standby floor of a plug: what its machine draws when it does nothing."""

from __future__ import annotations

from dataclasses import dataclass

from edge.detect.rules import FLOOR_CEILING_W, FLOOR_FALL_S, FLOOR_RISE_S, FLOOR_STEP_S


@dataclass(slots=True)
class Floor:
    """``floor_w``: the floor, watts, None: never seen standing still. The rest: the mean being taken."""

    floor_w: float | None = None
    ws: float = 0.0
    s: float = 0.0

    def learn(self, power_w: float, for_s: float) -> bool:
        """Let it stand still with ``power_w`` for ``for_s`` seconds; True: the floor may have moved."""
        self.ws += power_w * for_s
        self.s += for_s
        if self.s < FLOOR_STEP_S:
            return False
        mean_w = min(self.ws / self.s, FLOOR_CEILING_W)
        if self.floor_w is None:
            self.floor_w = mean_w
        else:
            constant_s = FLOOR_RISE_S if mean_w > self.floor_w else FLOOR_FALL_S
            self.floor_w += (mean_w - self.floor_w) * min(1.0, self.s / constant_s)
        self.ws = self.s = 0.0
        return True
