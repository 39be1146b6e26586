"""The recorded traces beside the checkout: where they are, their lines and their reference cycles."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from laundryd.wire.machines import MachineKind
from tests.bench.sensing.score import ReferenceCycle

TRACES: Final = Path(__file__).resolve().parents[4] / "shared" / "traces"
"""Real power of washers and dryers, under a licence of its own: never part of the project."""
_SUFFIX: Final = ".csv.gz"


@dataclass(frozen=True, slots=True)
class Trace:
    """One plug's recording with its reference cycles beside it."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(_SUFFIX)

    @property
    def kind(self) -> MachineKind:
        """The file's name begins with it; raises ValueError if it does not."""
        kinds = (kind for kind in MachineKind if self.name.startswith(f"{kind.value}_"))
        # washer_dryer_x begins with washer_ too.
        longest = max(kinds, key=lambda kind: len(kind.value), default=None)
        if longest is None:
            raise ValueError(f"{self.path.name}: a trace is named <kind>_<plug>{_SUFFIX}")
        return longest

    def lines(self) -> list[str]:
        with gzip.open(self.path, "rt", encoding="utf-8") as text:
            return text.readlines()

    def references(self) -> list[ReferenceCycle]:
        path = self.path.with_name(f"{self.name}.cycles.csv")
        with path.open(encoding="utf-8", newline="") as rows:
            return [
                ReferenceCycle(
                    float(row["first_over_20w_unix_s"]),
                    float(row["last_over_20w_unix_s"]),
                    float(row["ready_unix_s"]),
                    row["flag"],
                )
                for row in csv.DictReader(rows)
            ]


def recorded_traces(folder: Path = TRACES) -> list[Trace]:
    """Return the traces of a folder by name; none if it does not exist."""
    return [Trace(path) for path in sorted(folder.glob(f"*{_SUFFIX}"))]
