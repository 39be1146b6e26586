"""Errors on HTTP: RFC 9457 problem documents made from the wire's table of codes."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match

from laundryd.wire.bodies import Problem
from laundryd.wire.errors import ERRORS, ErrorCode

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
API: Final = "/api/"
PAGE: Final = "/{path:path}"
"""The route of the web app's files: everything that nothing else is."""
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
TYPE_BASE: Final = "urn:laundryd:error:"
_BY_STATUS: Final = {
    400: ErrorCode.NOT_JSON,  # only the framework's own, for a body that cannot be read
    401: ErrorCode.UNAUTHENTICATED,
    403: ErrorCode.FOREIGN_ORIGIN,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.TOO_LARGE,
    415: ErrorCode.NOT_JSON,
}


class ProblemError(Exception):
    """A request is refused with a code of the table.

    ``detail`` adds to the table's remedy what was found here; ``retry_after_s`` becomes the header
    ``Retry-After``; ``fields`` names what is wrong in a body, as dotted paths.
    """

    def __init__(
        self,
        code: ErrorCode,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        fields: Sequence[str] = (),
    ) -> None:
        super().__init__(f"{code}: {detail or ERRORS[code].title}")
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.fields = tuple(fields)


def problem(error: ProblemError) -> Problem:
    """Write ``error`` as a problem document."""
    row = ERRORS[error.code]
    # A refused command's message ends with the remedy already: it also goes over sockets and MQTT.
    is_whole = error.detail.endswith(row.remedy)
    detail = error.detail if is_whole else f"{error.detail} {row.remedy}".lstrip()
    return Problem(
        type=f"{TYPE_BASE}{error.code}",
        title=row.title,
        status=row.status,
        code=error.code,
        detail=detail,
        fields=list(error.fields),
    )


def problem_response(error: ProblemError, more: Mapping[str, str] | None = None) -> JSONResponse:
    """Write ``error`` as the HTTP answer, with ``more`` headers."""
    headers = {"Cache-Control": "no-store", **(more or {})}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if ERRORS[error.code].status == ERRORS[ErrorCode.UNAUTHENTICATED].status:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        problem(error).model_dump(mode="json"),
        ERRORS[error.code].status,
        headers,
        media_type=MEDIA_TYPE,
    )


async def _on_problem(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ProblemError):
        raise error
    return problem_response(error)


async def _on_validation(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return problem_response(
            ProblemError(ErrorCode.NOT_JSON, "The body could not be read as JSON.")
        )
    fields = [".".join(str(part) for part in item["loc"]) for item in found]
    said = "; ".join(f"{name}: {item['msg']}" for name, item in zip(fields, found, strict=True))
    return problem_response(ProblemError(ErrorCode.INVALID_BODY, f"{said}.", fields=fields))


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error.__cause__, ProblemError):
        # Raised while the body was read: the framework takes that for a broken body.
        return problem_response(error.__cause__)
    code = _BY_STATUS.get(error.status_code, ErrorCode.INTERNAL)
    if code is not ErrorCode.METHOD_NOT_ALLOWED:
        return problem_response(ProblemError(code))
    methods = methods_at(request)
    if not methods:
        return problem_response(ProblemError(ErrorCode.NOT_FOUND))
    # RFC 9110 section 15.5.6: such an answer says which methods there are.
    return problem_response(ProblemError(code), {"Allow": ", ".join(methods)})


def methods_at(request: Request) -> list[str]:
    """Return the methods that the address of ``request`` has; none: there is nothing.

    The framework knows the methods of one route; an address may have several.
    """
    is_api = request.url.path.startswith(API)
    # Below /api/ the app's own page has nothing.
    routes = [r for r in request.app.routes if not (is_api and getattr(r, "path", "") == PAGE)]
    return [
        method
        for method in _METHODS
        if any(r.matches({**request.scope, "method": method})[0] is Match.FULL for r in routes)
    ]


async def _on_bug(request: Request, error: Exception) -> JSONResponse:
    # The path is safe to log: no token, code or endpoint ever stands in one.
    log.error("unhandled error at %s", request.url.path, exc_info=error)
    return problem_response(ProblemError(ErrorCode.INTERNAL))


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document: ours, validation, unknown paths, bugs."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)
