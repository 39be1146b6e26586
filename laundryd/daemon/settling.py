"""What a daemon on a small computer does with its memory, before and after it has started."""

from __future__ import annotations

import gc
import sys
from types import ModuleType
from typing import cast

UNUSED = ("pydantic.v1",)
"""FastAPI looks whether a route uses models of this old interface, 2 MB of code; none of ours does."""


def leave_out_unused() -> None:
    """Call before the programs are imported: what is imported for nothing is as good as not installed.

    None in ``sys.modules`` makes an import fail at once (Python reference, 5.3.1), and FastAPI takes
    that for "not installed".
    """
    for name in UNUSED:
        # The type of sys.modules does not know of None, the language does.
        sys.modules.setdefault(name, cast("ModuleType", None))


def settle() -> None:
    """Call once when the start is over.

    What the start made (modules, schemas, routes) lives as long as the process: taken out of the garbage
    collector's sight it is not walked again and again, which held the loop up for tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
