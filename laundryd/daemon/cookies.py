"""What signs somebody in: a token shown by hand, or a cookie for this site alone, out of scripts' reach."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from starlette.responses import Response

from laundryd.wire.origins import shown_by_hand


def token_of(headers: Mapping[str, str], cookie: str) -> str | None:
    """Return the token that a request shows; one shown by hand goes before that of ``cookie``.

    ``headers`` have names in lower case. None: no token was shown.
    """
    token = shown_by_hand(headers)
    if token is not None:
        return token
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(cookie)
    except CookieError:
        return None
    return morsel.value if morsel is not None else None


def give_cookie(response: Response, name: str, secret: str, *, life_s: int, secure: bool) -> None:
    """Put ``secret`` into the cookie ``name``, and let nobody keep the answer.

    ``secure``: this site is served over TLS, and the cookie is sent over nothing else.
    """
    response.set_cookie(
        name, secret, max_age=life_s, path="/", httponly=True, samesite="strict", secure=secure
    )
    response.headers["Cache-Control"] = "no-store"


def take_cookie(response: Response, name: str, *, secure: bool) -> None:
    """Delete the cookie ``name``."""
    response.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=secure)
