"""Programs with one promise taken out, to show that the fault runs see the loss that it prevents.

``python -m tests.faults.twins NAME edge run ...`` is ``laundryd edge run ...``, changed. The product has no
switch for any of this.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from laundryd import cli

TWINS: Final[dict[str, Callable[[], None]]] = {}
"""What each twin changes, by name."""


if __name__ == "__main__":
    TWINS[sys.argv.pop(1)]()
    cli.main()
