"""What a daemon on a small computer does with its memory, before and after it has started."""

from __future__ import annotations

import gc
import importlib
import sys
from types import ModuleType
from typing import Final, cast

from pydantic import BaseModel, ConfigDict

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
    _compile_later("fastapi.openapi.models")


def _compile_later(module: str) -> None:
    """Import a module whose pydantic models are to be compiled when they are first needed.

    FastAPI's describe an OpenAPI document, which hardly anybody asks a room for: 2 MB.
    """
    before = BaseModel.model_config
    # A model hands its configuration on to those that are derived from it.
    BaseModel.model_config = ConfigDict(**before, defer_build=True)
    try:
        importlib.import_module(module)
    finally:
        BaseModel.model_config = before


def settle() -> None:
    """Call once when the start is over.

    What the start made (modules, schemas, routes) lives as long as the process: taken out of the garbage
    collector's sight it is not walked again and again, which held the loop up for tens of milliseconds.
    """
    gc.collect()
    gc.freeze()


SELDOM: Final = (20_000, 20, 20)
"""New objects before the youngest are walked, and how often that happens before the older ones are: a
server's objects are freed by their counts, hardly one is in a cycle, and 20,000 of them are some 2 MB."""


def settle_with_many_connections() -> None:
    """Settle, and from now on look for garbage seldom.

    Thousands of connections that come back at once are a hundred thousand new objects, all of them in
    use: walking them again and again took half of the time.
    """
    settle()
    gc.set_threshold(*SELDOM)
