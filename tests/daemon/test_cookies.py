from __future__ import annotations

import pytest
from starlette.responses import Response

from laundryd.daemon.cookies import give_cookie, take_cookie, token_of

NAME = "laundryd_here"


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({}, None),
        ({"cookie": f"other=x; {NAME}=abc"}, "abc"),
        ({"cookie": "laundryd_elsewhere=abc"}, None),
        ({"cookie": f"{NAME}=abc", "authorization": "Bearer def"}, "def"),
        ({"authorization": "bearer def"}, "def"),
        ({"authorization": "BEARER  def "}, "def"),
        ({"cookie": f"{NAME}=abc", "authorization": "Basic def"}, "abc"),
        # Shown by hand is shown by hand, also when it is nothing.
        ({"cookie": f"{NAME}=abc", "authorization": "Bearer "}, ""),
        ({"cookie": f"{NAME}=abc", "authorization": "Bearer"}, ""),
    ],
)
def test_a_token_shown_by_hand_goes_before_the_cookie(
    headers: dict[str, str], token: str | None
) -> None:
    assert token_of(headers, NAME) == token


@pytest.mark.parametrize("secure", [True, False])
def test_a_cookie_is_for_this_site_alone_and_no_script_reads_it(secure: bool) -> None:  # noqa: FBT001
    response = Response()
    give_cookie(response, NAME, "abc", life_s=60, secure=secure)
    parts = set(response.headers["set-cookie"].split("; "))
    assert {f"{NAME}=abc", "HttpOnly", "Max-Age=60", "Path=/", "SameSite=strict"} <= parts
    assert ("Secure" in parts) is secure
    assert response.headers["cache-control"] == "no-store"
    take_cookie(response, NAME, secure=secure)
    gone = response.headers.getlist("set-cookie")[-1]
    assert f'{NAME}=""' in gone
    assert "Max-Age=0" in gone
