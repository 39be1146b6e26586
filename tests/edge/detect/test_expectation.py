from __future__ import annotations

from edge.detect.expectation import LATER_TIMES, LEAST_LEFT_S, SAY_EVERY_S, Expectation, Word
from edge.detect.whereabouts import Outlook


def sure(left_s: float) -> Outlook:
    return Outlook(left_s, left_s, left_s, 0.9)


def say(expectation: Expectation, now_s: float, outlook: Outlook) -> list[Word]:
    return expectation.look(now_s, 0.0, outlook)


def test_it_speaks_once_a_minute() -> None:
    expectation = Expectation()
    said = [now_s for now_s in range(30, 630, 30) if say(expectation, now_s, sure(3600 - now_s))]
    assert said == list(range(30, 630, int(SAY_EVERY_S)))


def test_it_says_nothing_when_nothing_fits_or_the_end_may_be_anywhere() -> None:
    assert say(Expectation(), 600, Outlook(1800, 1800, 1800, 0.02)) == []
    assert say(Expectation(), 600, Outlook(1800, 0, 6000, 0.9)) == []


def test_an_end_that_moves_away_is_told_only_when_it_stays_away() -> None:
    expectation = Expectation()
    [first] = say(expectation, 60, sure(1800))
    told = [say(expectation, 60 + 60 * n, sure(2400))[0].ends_s for n in range(1, LATER_TIMES + 1)]
    assert told[:-1] == [first.ends_s] * (LATER_TIMES - 1)
    assert told[-1] == 60 + 60 * LATER_TIMES + 2400


def test_a_nearer_end_is_neared_by_steps_and_never_the_present() -> None:
    expectation = Expectation()
    say(expectation, 60, sure(3000))
    ends = [say(expectation, 60 + 60 * n, sure(1200 - 60 * n))[0].ends_s for n in range(1, 15)]
    assert ends == sorted(ends, reverse=True)
    assert 1260 <= ends[-1] < 1400
    [word, *_] = say(expectation, 6000, sure(0))
    assert word.ends_s == 6000 + LEAST_LEFT_S


def test_soon_is_said_once_and_only_when_it_is_likely() -> None:
    expectation = Expectation()
    assert not [one for one in say(expectation, 60, Outlook(300, 200, 1500, 0.9)) if one.is_soon]
    found = [
        word
        for now_s in range(90, 390, 30)
        for word in say(expectation, now_s, sure(390 - now_s))
        if word.is_soon
    ]
    [soon] = found
    assert soon.ends_s == 390
