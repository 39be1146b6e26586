"""What can go wrong in the demo.

DemoError
├── ProgramEndedError   a program that should run has ended
├── NotReadyError       a program runs and does not get ready
└── RefusedError        a program refused what a simulated resident asked
"""

from __future__ import annotations


class DemoError(Exception):
    """Base of the demo's errors; the text is for whoever started the demo."""


class ProgramEndedError(DemoError):
    """A program ended by itself; the text has its last lines."""


class NotReadyError(DemoError):
    """What was started did not get ready in time; the text says what it still waits for."""


class RefusedError(DemoError):
    """An HTTP request was refused with ``status`` and the error table's ``code``, empty if not ours."""

    def __init__(self, asked: str, status: int, code: str, detail: str) -> None:
        super().__init__(f"{asked} was refused with {status} {code}: {detail}")
        self.status = status
        self.code = code
