"""What an edge process costs: read from the kernel, by its process id."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MB = 1e6


@dataclass(frozen=True)
class Cost:
    """What a process had used when it was looked at. ``written_bytes``: what it made the disk write."""

    cpu_s: float
    written_bytes: int

    @classmethod
    def of(cls, pid: int) -> Self:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        io = Path(f"/proc/{pid}/io").read_text()
        written = re.search(r"^write_bytes: (\d+)", io, re.MULTILINE)
        assert written is not None
        return cls(ticks / os.sysconf("SC_CLK_TCK"), int(written[1]))


def resident_mb(pid: int) -> float:
    """Return the memory that a process holds now, megabytes (`VmRSS`, shared libraries counted whole)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / MB
