from __future__ import annotations

from cloud_relay.push.alerts import EVERY_S, Alerts


def test_a_minute_of_refusals_is_one_line_with_their_number() -> None:
    alerts = Alerts()
    assert alerts.note("fcm", "http_403", 0.0) == 1
    assert [alerts.note("fcm", "http_403", 1.0) for _ in range(7)] == [None] * 7
    assert alerts.note("fcm", "http_403", EVERY_S) == 8


def test_services_and_kinds_are_told_apart() -> None:
    alerts = Alerts()
    assert alerts.note("fcm", "http_403", 0.0) == 1
    assert alerts.note("fcm", "http_413", 0.0) == 1
    assert alerts.note("apple", "http_403", 0.0) == 1
