"""Structured logs: one line an event, as text for people or JSON for machines.

Fields go in by ``extra={"room": ..., "machine": ...}``. Never a token, a code, a key or a push endpoint.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from typing_extensions import override

from laundryd.wire.times import to_rfc3339

LogLevel = Literal["debug", "info", "warning", "error"]
FIELDS: Final = (
    "site", "room", "machine", "kind", "reason", "count", "topic", "epoch", "offset",
    "notice", "subscription", "session", "status", "seconds", "client", "worker",
)  # fmt: skip
"""The fields that a line may carry, in this order; others are dropped, so that nothing slips in."""


CHATTY: Final = (
    "uvicorn", "uvicorn.error", "websockets", "aiosqlite", "asyncio",
    "urllib3", "google", "firebase_admin",
)  # fmt: skip
"""Libraries that speak of every connection."""


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}


class _Always(logging.Filter):
    """Gives each line of this process the fields that all of them carry; a line's own go before."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__()
        self._fields = dict(fields)

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in self._fields.items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class _TextFormatter(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        at = to_rfc3339(datetime.fromtimestamp(record.created, UTC))
        tail = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{at} {record.levelname.lower():7} {record.name}: {record.getMessage()}{tail}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonFormatter(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": to_rfc3339(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= _fields(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(
    level: LogLevel = "info", *, as_json: bool = False, always: Mapping[str, str] | None = None
) -> None:
    """Send all logs of this process to standard error, from ``level`` up.

    ``always``: fields that each line carries, an edge's room say, also the lines of libraries.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if as_json else _TextFormatter())
    if always:
        handler.addFilter(_Always(always))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # What matters of it we say ourselves.
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
