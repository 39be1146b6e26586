"""The OpenAPI document of either program: complete, with every refusal by its code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import FastAPI, Path
from fastapi.openapi.utils import get_openapi

from laundryd.daemon.problems import MEDIA_TYPE
from laundryd.wire.bodies import Problem
from laundryd.wire.commands import CommandName
from laundryd.wire.errors import ERRORS, ErrorCode
from laundryd.wire.ids import ROOM_KEY_PATTERN, SLUG_PATTERN

LIVE: Final = (
    "Live sessions are WebSockets at `/api/v1/live`, which OpenAPI cannot describe: their frames are in "
    "the contract's schema, their handshake is refused with the same problem documents."
)
CHANGING: Final = (
    ErrorCode.FOREIGN_ORIGIN,
    ErrorCode.NOT_JSON,
    ErrorCode.TOO_LARGE,
    ErrorCode.INVALID_BODY,
)
"""What every request that changes something may meet at the guard and at the body's check."""
SIGNED_IN: Final = (ErrorCode.UNAUTHENTICATED,)
COMMANDED: Final = (
    ErrorCode.UNKNOWN_MACHINE,
    ErrorCode.UNKNOWN_COMMAND,
    ErrorCode.ILLEGAL_MOVE,
    ErrorCode.NOT_YOURS,
    ErrorCode.ALREADY_HOLDING,
    ErrorCode.UNKNOWN_PROGRAMME,
    ErrorCode.PICKUP_MUTED,
    ErrorCode.NOBODY_ASKED,
    ErrorCode.FREE_NOW,
    ErrorCode.RATE_LIMITED,
    ErrorCode.EXPIRED,
)
"""What a room may answer to a command."""

# The patterns are only described: what does not fit is unknown, 404, and no wrong body.
RoomPath = Annotated[
    str,
    Path(
        description="Site and room, `maple-hall.basement`.",
        json_schema_extra={"pattern": ROOM_KEY_PATTERN},
    ),
]
MachinePath = Annotated[
    str, Path(description="The machine's slug.", json_schema_extra={"pattern": SLUG_PATTERN})
]
CommandPath = Annotated[
    str,
    Path(
        description="What to do.",
        json_schema_extra={"enum": [name.value for name in CommandName]},
    ),
]


# Any: the type that FastAPI declares for ``responses``.
def refusals(*codes: ErrorCode) -> dict[int | str, dict[str, Any]]:
    """Describe the problem documents of ``codes`` by their status, as FastAPI takes ``responses``."""
    by_status: dict[int, list[ErrorCode]] = {}
    # The guard looks at every request's host and size, whatever it is for.
    always = (ErrorCode.FOREIGN_HOST, ErrorCode.TOO_LARGE)
    for code in dict.fromkeys((*always, *codes, ErrorCode.INTERNAL)):
        by_status.setdefault(ERRORS[code].status, []).append(code)
    return {status: _response(status, found) for status, found in by_status.items()}


def complete(app: FastAPI) -> None:
    """Let FastAPI's document name our problem documents instead of its own validation errors."""

    def openapi() -> dict[str, Any]:  # Any: FastAPI's own type of the document
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=LIVE,
                routes=app.routes,
            )
            schemas = document["components"]["schemas"]
            schemas["Problem"] = Problem.model_json_schema(
                ref_template="#/components/schemas/{model}"
            )
            for theirs in ("HTTPValidationError", "ValidationError"):
                schemas.pop(theirs, None)
            for operations in document["paths"].values():
                for operation in operations.values():
                    _drop_validation(operation["responses"])
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the documented way to extend the document


def _response(status: int, codes: Iterable[ErrorCode]) -> dict[str, Any]:
    names = [str(code) for code in codes]
    said = [
        f"`{code}`: {ERRORS[ErrorCode(code)].title}. {ERRORS[ErrorCode(code)].remedy}"
        for code in names
    ]
    narrowed = {"code": {"enum": names}, "status": {"const": status}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": narrowed}]}
    return {"description": "\n\n".join(said), "content": {MEDIA_TYPE: {"schema": schema}}}


def _drop_validation(responses: dict[str, Any]) -> None:
    # FastAPI adds it wherever there is a parameter; ours are never refused by their form.
    content = responses.get("422", {}).get("content", {})
    if "HTTPValidationError" in str(content):
        del responses["422"]
