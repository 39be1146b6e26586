"""The refusals of each route, from the wire's table into the OpenAPI document; and of commands to HTTP."""

from __future__ import annotations

from typing import Any

from laundryd.daemon.problems import MEDIA_TYPE, ProblemError
from laundryd.wire.bodies import Problem
from laundryd.wire.commands import CommandError
from laundryd.wire.errors import ERRORS, ErrorCode

CHANGING = (
    ErrorCode.FOREIGN_ORIGIN,
    ErrorCode.NOT_JSON,
    ErrorCode.TOO_LARGE,
    ErrorCode.INVALID_BODY,
)
"""What every request that changes something may meet at the guard and at the body's check."""
SIGNED_IN = (ErrorCode.UNAUTHENTICATED,)


# Any: the type that FastAPI declares for ``responses``.
def refusals(*codes: ErrorCode) -> dict[int | str, dict[str, Any]]:
    """Describe the problem documents of ``codes`` by their status, as FastAPI takes ``responses``."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for code in (ErrorCode.FOREIGN_HOST, *codes, ErrorCode.INTERNAL):
        row = ERRORS[code]
        said = f"`{code}`: {row.title}. {row.remedy}"
        if row.status in by_status:
            by_status[row.status]["description"] += f"\n\n{said}"
        else:
            by_status[row.status] = {
                "description": said,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
    return by_status


def command_problem(error: CommandError) -> ProblemError:
    """Turn a refused command into a problem; its message already ends with the table's remedy."""
    row = ERRORS[error.code]
    said = error.message.removesuffix(row.remedy).strip()
    said = said.removeprefix(f"{row.title}.").strip()
    return ProblemError(error.code, said, retry_after_s=error.retry_after_s)


def problem_schema() -> dict[str, Any]:
    """Return the JSON Schema of a problem document, for the OpenAPI document's components."""
    return Problem.model_json_schema(ref_template="#/components/schemas/{model}")
