"""The refusals of commands, from the wire to HTTP."""

from __future__ import annotations

from laundryd.daemon.problems import ProblemError
from laundryd.wire.commands import CommandError
from laundryd.wire.errors import ERRORS


def command_problem(error: CommandError) -> ProblemError:
    """Turn a refused command into a problem; its message already ends with the table's remedy."""
    row = ERRORS[error.code]
    said = error.message.removesuffix(row.remedy).strip()
    said = said.removeprefix(f"{row.title}.").strip()
    return ProblemError(error.code, said, retry_after_s=error.retry_after_s)
