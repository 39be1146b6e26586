from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from laundryd.daemon.codes import ALPHABET, RateLimit, digest, new_code, normalise

CODES = st.text(ALPHABET, min_size=8, max_size=8)
TRIES = st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 30)), max_size=60)


def test_a_code_is_easy_to_read_out() -> None:
    code = new_code()
    assert len(code) == 9
    assert code[4] == "-"
    assert set(code) - {"-"} <= set(ALPHABET)
    assert not set(ALPHABET) & set("ILOU01")
    assert len({new_code() for _ in range(100)}) == 100


@given(CODES)
def test_a_code_is_the_same_however_it_is_typed(code: str) -> None:
    shown = f"{code[:4]}-{code[4:]}"
    typed = f"  {shown.lower()} "
    spaced = " ".join(code)
    assert digest(shown) == digest(typed) == digest(spaced)
    assert normalise(shown) == code


@given(CODES, CODES)
def test_different_codes_have_different_digests_that_tell_nothing(one: str, other: str) -> None:
    assert (digest(one) == digest(other)) == (one == other)
    assert one not in digest(one)


@given(TRIES, st.integers(1, 5), st.floats(1, 50))
@example([("a", 14.876022383748275), ("a", 1.4152325841272013)], 1, 1.4152325841272013)
def test_no_window_ever_holds_more_than_the_limit(
    waits: list[tuple[str, float]], limit: int, window_s: float
) -> None:
    rate = RateLimit(limit, window_s)
    now_s = 0.0
    allowed: dict[str, list[float]] = {"a": [], "b": []}
    for key, wait_s in waits:
        now_s += wait_s
        recent = [at_s for at_s in allowed[key] if at_s + window_s > now_s]
        retry_after_s = rate.take(key, now_s)
        assert (retry_after_s is None) == (len(recent) < limit)
        if retry_after_s is None:
            allowed[key].append(now_s)
        else:
            assert 0 < retry_after_s <= window_s + 1e-6


def test_waiting_as_told_helps_and_refused_tries_do_not_put_it_off() -> None:
    rate = RateLimit(2, 60)
    assert rate.take("a", 0) is None
    assert rate.take("a", 10) is None
    assert rate.take("a", 20) == 40
    assert rate.take("a", 50) == 10
    assert rate.take("b", 50) is None
    assert rate.take("a", 60) is None


def test_memory_is_bounded() -> None:
    rate = RateLimit(1, 60)
    for number in range(RateLimit.KEYS_MAX + 100):
        rate.take(str(number), 0)
    assert len(rate._tries) == RateLimit.KEYS_MAX


def test_a_try_that_is_given_back_does_not_count() -> None:
    rate = RateLimit(2, 60)
    for now_s in range(10):
        assert rate.take("a", now_s) is None
        rate.give_back("a", now_s)
    assert rate.take("a", 10) is None
    assert rate.take("a", 11) is None
    assert rate.take("a", 12) == 58
    rate.give_back("a", 5)
    rate.give_back("b", 5)
    assert rate.take("a", 13) == 57
