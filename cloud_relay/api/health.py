"""For those who watch the relay: is it alive, is it ready, what does it count."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from cloud_relay.api.services import Relay
from laundryd.daemon.openapi import refusals

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The program answers."""

    status: str = "ok"


class Ready(BaseModel):
    """Whether the relay can do its work; ``missing`` names what it waits for."""

    ready: bool
    missing: list[str]


@router.get("/healthz", responses=refusals())
async def healthz() -> Alive:
    """Say that the program runs and answers."""
    return Alive()


@router.get(
    "/readyz",
    responses={
        **refusals(),
        503: {"model": Ready, "description": "Not ready; `missing` says why."},
    },
)
async def readyz(response: Response, relay: Relay) -> Ready:
    """Say whether database and broker are there."""
    missing = relay.missing()
    response.status_code = 503 if missing else 200
    return Ready(ready=not missing, missing=missing)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        **refusals(),
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Metrics."},
    },
)
async def metrics(relay: Relay) -> Response:
    """Return the counters in Prometheus' text format."""
    return Response(
        generate_latest() + generate_latest(relay.metrics), media_type=CONTENT_TYPE_LATEST
    )
