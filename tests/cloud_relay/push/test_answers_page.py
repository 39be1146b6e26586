from __future__ import annotations

from cloud_relay.push.answers_page import COMMAND, PAGE, answers_page
from cloud_relay.push.outcomes import ANSWERS


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == answers_page(), f"run {COMMAND}"


def test_every_kind_of_answer_says_what_it_is() -> None:
    for detail, answer in ANSWERS.items():
        assert answer.about.endswith("."), detail
