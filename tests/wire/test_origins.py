from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laundryd.wire.origins import is_our_page, knows_host, shown_by_hand

ALLOWED = frozenset({"laundry.local", "[::1]", "192.0.2.7:8080"})


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("laundry.local", True),
        ("LAUNDRY.local:8080", True),
        ("[::1]", True),
        ("[::1]:8080", True),
        ("192.0.2.7:8080", True),
        ("192.0.2.7", False),
        ("laundry.local.evil", False),
        ("laundry.local:evil", False),
        ("evil.example", False),
        ("", False),
        ("[", False),
        (":", False),
    ],
)
def test_a_host_is_ours_by_its_name(host: str, known: bool) -> None:  # noqa: FBT001
    assert knows_host(host, ALLOWED) is known
    assert knows_host(host, {"*"}) is bool(host)


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("http://laundry.local:8080", True),
        ("https://LAUNDRY.local:8080", True),
        ("https://app.example", True),
        ("http://laundry.local", False),
        ("ftp://laundry.local:8080", False),
        ("null", False),
        ("", False),
        ("http://[::1", False),
    ],
)
def test_a_page_is_ours_if_we_served_it(origin: str, ours: bool) -> None:  # noqa: FBT001
    assert is_our_page(origin, "laundry.local:8080", {"https://app.example"}) is ours


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        (None, None),
        ("", None),
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER  abc ", "abc"),
        ("Bearer ", ""),
        ("Bearer", ""),
        ("Basic abc", None),
        ("Bearerabc", None),
    ],
)
def test_a_token_is_shown_by_hand_whatever_the_case_of_its_scheme(
    authorization: str | None, token: str | None
) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    assert shown_by_hand(headers) == token


@given(st.text(), st.text())
def test_nothing_that_is_sent_is_an_error(one: str, other: str) -> None:
    knows_host(one, ALLOWED)
    is_our_page(one, other, ALLOWED)
    shown_by_hand({"authorization": one})
