"""The relay's whole web side: the guard, the routes, the app's files, and the live sessions beside them."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import ASGIApp

import laundryd
from cloud_relay.api import health, joining, me, push, rooms
from cloud_relay.api.refusals import problem_schema
from cloud_relay.api.services import Services
from laundryd.daemon import problems, webapp
from laundryd.daemon.http_guard import HttpGuard
from laundryd.daemon.live_first import LiveFirst

OPENAPI_PATH: Final = "/api/v1/openapi.json"


def create_app(services: Services) -> FastAPI:
    """Make the HTTP side without guard and live sessions."""
    app = FastAPI(
        title="laundryd relay",
        version=laundryd.__version__,
        summary="Who wants to hear about which laundry room, and how they are told.",
        openapi_url=OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    problems.install(app)
    for module in (joining, me, rooms, push, health):
        app.include_router(module.router)
    _complete(app)
    webapp.install(app)
    return app


def web_side(services: Services, live: ASGIApp) -> ASGIApp:
    """Put the parts together: what uvicorn serves."""
    settings = services.settings
    guarded = HttpGuard(create_app(services), settings.hosts, settings.origins)
    return LiveFirst(live, guarded)


def _complete(app: FastAPI) -> None:
    """Let FastAPI's document name our problem documents instead of its own validation errors."""

    def openapi() -> dict[str, Any]:  # Any: FastAPI's own type of the document
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, summary=app.summary, routes=app.routes
            )
            schemas = document["components"]["schemas"]
            schemas["Problem"] = problem_schema()
            for theirs in ("HTTPValidationError", "ValidationError"):
                schemas.pop(theirs, None)
            for operations in document["paths"].values():
                for operation in operations.values():
                    _drop_validation(operation["responses"])
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the documented way to extend the document


def _drop_validation(responses: dict[str, Any]) -> None:
    # FastAPI adds it wherever there is a parameter; ours are never refused by their form.
    content = responses.get("422", {}).get("content", {})
    if "HTTPValidationError" in str(content):
        del responses["422"]
