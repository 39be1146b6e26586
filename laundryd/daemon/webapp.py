"""The built web app, contained in the wheel and served by both programs."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse, Response

from laundryd.daemon.problems import PAGE, ProblemError, methods_at
from laundryd.wire.errors import ErrorCode

FOLDER: Final = Path(__file__).parent / "webapp"
_FOREVER: Final = "public, max-age=31536000, immutable"
"""Names under ``assets/`` carry a hash of their content."""
_ASK_FIRST: Final = "no-cache"
_TYPES: Final = {".webmanifest": "application/manifest+json", ".js": "text/javascript"}


def built() -> bool:
    """Say whether the web app was built into this installation."""
    return (FOLDER / "index.html").is_file()


def install(app: FastAPI, folder: Path = FOLDER) -> None:
    """Serve the files of ``folder`` at the root of ``app``; call it after all other routes.

    A path that is no file and has no dot gives the page: the app finds its way by the address itself.
    """
    root = folder.resolve()

    @app.get(PAGE, include_in_schema=False)
    async def file(path: str, request: Request) -> Response:
        if path.startswith("api/") and methods_at(request):
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED)
        if not (root / "index.html").is_file():
            return PlainTextResponse(
                "The web app is not built. From a checkout run ./dev build, or install the wheel.\n",
                503,
            )
        wanted = _wanted(root, path)
        lasting = wanted.is_relative_to(root / "assets")
        return FileResponse(
            wanted,
            media_type=_TYPES.get(wanted.suffix),
            headers={"Cache-Control": _FOREVER if lasting else _ASK_FIRST},
        )


def _wanted(root: Path, path: str) -> Path:
    """Return the file that ``path`` gives; the page for one of the app's own addresses.

    Raises:
        ProblemError: there is none, or it lies outside of ``root``.

    """
    try:
        wanted = (root / path).resolve()
        is_file = wanted.is_file()
    except (OSError, ValueError):
        # A name that no file can have: too long, or with a null byte.
        raise ProblemError(ErrorCode.NOT_FOUND) from None
    if path.startswith("api/") or not wanted.is_relative_to(root):
        raise ProblemError(ErrorCode.NOT_FOUND)
    if is_file:
        return wanted
    if "." in path:
        raise ProblemError(ErrorCode.NOT_FOUND)
    return root / "index.html"
