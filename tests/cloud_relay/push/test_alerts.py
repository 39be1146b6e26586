from __future__ import annotations

from cloud_relay.push.alerts import EVERY_S, LINES_MAX, Alerts


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


def test_endless_names_of_services_do_not_fill_the_memory() -> None:
    alerts = Alerts()
    for number in range(3 * LINES_MAX):
        for _ in range(2):
            alerts.note(f"h{number}", "dns", 0.0)
        assert len(alerts._said_s) <= LINES_MAX
        assert len(alerts._unsaid) <= LINES_MAX
