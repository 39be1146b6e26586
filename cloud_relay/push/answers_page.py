"""``docs/pushes.md``, made from the table of answers.

``python -m cloud_relay.push.answers_page`` writes it; a test fails when it is not current.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cloud_relay.push.lanes import PLACES, PLACES_ALL
from cloud_relay.push.outcomes import (
    ANSWERS,
    BACKOFF_CAP_S,
    BACKOFF_FIRST_S,
    RETRY_AFTER_MAX_S,
    Answer,
    Outcome,
)

PAGE: Final = Path(__file__).parents[2] / "docs" / "pushes.md"
COMMAND: Final = "python -m cloud_relay.push.answers_page"

DOES: Final[dict[Outcome, str]] = {
    Outcome.SENT: "told; the subscription's last error is forgotten",
    Outcome.GONE: "the subscription is deleted, and the app asks to switch the bell on again",
    Outcome.REFUSED: "not tried again; the subscription is kept, the error noted with it",
    Outcome.LATER: "tried again while the notice is useful",
    Outcome.EXPIRED: "given up: told too late is worse than not told",
    Outcome.CANCELLED: "not sent: the resident saw it meanwhile",
}

_TRIES: Final = (
    f"A push is tried again after `Retry-After`, {RETRY_AFTER_MAX_S / 60:.0f} minutes at most, or else "
    f"after {BACKOFF_FIRST_S:.0f} s and twice as long each time up to {BACKOFF_CAP_S / 60:.0f} minutes, "
    "with jitter, until the notice is of no use any more. A restart of the relay forgets none, and "
    "repeats only those that were under way, under the same Topic. Up to "
    f"{PLACES} at a time go to one service and {PLACES_ALL} to all; a service in trouble gets fewer, "
    "down to one at a time, and delays nobody else's."
)
_MARKS: Final = (
    "`alert`: ours to mend. The relay logs an error, one a minute for each service and kind, and "
    'counts it: `laundryd_relay_pushes_total{outcome="refused_KIND"}`. `slows`: fewer at a time.'
)


def answers_page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# What a push service's answer does",
        "",
        f"<!-- Made by `{COMMAND}`; a test fails when it is not current. -->",
        "",
        _TRIES,
        "",
        _MARKS,
        "",
        "| kind | what it is | what it does | |",
        "|---|---|---|---|",
        *(
            f"| `{kind}` | {answer.about} | {DOES[answer.outcome]} | {_marks(answer)} |"
            for kind, answer in ANSWERS.items()
        ),
        "",
    ]
    return "\n".join(lines)


def _marks(answer: Answer) -> str:
    marks = {"alert": answer.alert, "slows": answer.slows}
    return ", ".join(name for name, is_set in marks.items() if is_set)


if __name__ == "__main__":
    PAGE.write_text(answers_page(), encoding="utf-8")
