"""What can go wrong for the Python client.

LiveError
├── LiveRefusedError     the handshake or a request was refused for good: a token, an origin, a host
├── LiveClosedError      the server closed with a code that says not to come back
├── LiveTimeoutError     what was waited for did not come in time
└── LiveUnreachableError no answer came over HTTP
"""

from __future__ import annotations

from laundryd.wire.close_codes import CLOSE_CODES, CloseCode


class LiveError(Exception):
    """Base of the client's errors."""


class LiveRefusedError(LiveError):
    """It was answered with ``status`` and the error table's ``code`` (None: not ours).

    ``retry_after_s``: after how many seconds it may be tried again, None when the answer does not say.
    """

    def __init__(
        self, status: int, code: str | None, detail: str, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"refused with {status} {code or ''}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


class LiveClosedError(LiveError):
    """The server closed the connection with ``code``, which is final."""

    def __init__(self, code: int) -> None:
        row = CLOSE_CODES[CloseCode(code)] if code in CLOSE_CODES else None
        super().__init__(
            f"the live connection was closed with {code}: {row.meaning if row else ''}"
        )
        self.code = code


class LiveTimeoutError(LiveError):
    """What was waited for did not come; the message says what came instead."""


class LiveUnreachableError(LiveError):
    """No answer came over HTTP, or none that is ours; another try may bring one."""
