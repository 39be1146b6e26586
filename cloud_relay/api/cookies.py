"""Cookies that sign somebody in: for this site alone, out of every script's reach."""

from __future__ import annotations

from datetime import timedelta

from fastapi import Response

from cloud_relay.api.services import Services


def give_cookie(
    relay: Services, response: Response, name: str, secret: str, life: timedelta
) -> None:
    """Put ``secret`` into the cookie ``name``, and let nobody keep the answer."""
    response.set_cookie(
        name,
        secret,
        max_age=int(life.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=relay.settings.http.is_https,
    )
    response.headers["Cache-Control"] = "no-store"


def take_cookie(relay: Services, response: Response, name: str) -> None:
    """Delete the cookie ``name``."""
    response.delete_cookie(
        name, path="/", httponly=True, samesite="strict", secure=relay.settings.http.is_https
    )
