"""The relay's whole web side: the guard, the routes, the app's files, and the live sessions beside them."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp

import laundryd
from cloud_relay.api import announcements, health, joining, me, push, rooms, staff
from cloud_relay.api.services import Services
from laundryd.daemon import openapi, problems, webapp
from laundryd.daemon.http_guard import HttpGuard
from laundryd.daemon.live_first import LiveFirst

FIREBASE: Final = (
    "https://firebaseinstallations.googleapis.com",
    "https://fcmregistrations.googleapis.com",
)
"""Whom the app asks for a token, where the relay pushes by FCM."""
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
    for module in (joining, me, rooms, push, staff, announcements, health):
        app.include_router(module.router)
    openapi.complete(app)
    webapp.install(app)
    return app


def web_side(services: Services, live: ASGIApp) -> ASGIApp:
    """Put the parts together: what uvicorn serves."""
    settings = services.settings
    guarded = HttpGuard(
        create_app(services),
        settings.hosts,
        settings.origins,
        connects=FIREBASE if services.fcm is not None else (),
    )
    return LiveFirst(live, guarded)
