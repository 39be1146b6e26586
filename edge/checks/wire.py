"""What brokers and plugs must do: let us in, carry our words, and let us hear each plug. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from edge.checks.finding import Finding, fail, ok, warn

UNUSED_SHOWN: Final = 10
"""Plugs of no machine that are listed; more help nobody."""


@dataclass(slots=True)
class BrokerSight:
    """What came of asking a broker in. ``where`` is host and port, ``user`` None: anonymous.

    ``trouble`` None: we are in. ``carried``: what we published under our own subscription came back.
    """

    where: str
    user: str | None
    trouble: str | None = None
    carried: bool = False


@dataclass(slots=True)
class PlugSight:
    """What was heard of one machine's plug. ``power_w`` None: not measured yet.

    ``can_be_asked``: its make answers a question. ``skipped``: messages on its topics without effect, by
    reason. ``is_offline``: it, or the broker for it, says that it is gone.
    """

    machine: str
    make: str
    topic: str
    can_be_asked: bool
    readings: int = 0
    power_w: float | None = None
    is_offline: bool = False
    skipped: Counter[str] = field(default_factory=Counter)


def judge_broker(seen: BrokerSight) -> Finding:
    """Judge the room's broker."""
    what = "room broker"
    if seen.trouble is not None:
        remedy = (
            "start it, or mend broker in the settings; the room's page works meanwhile, by timers"
        )
        return fail(what, f"{seen.where}: {seen.trouble}", remedy)
    who = "anonymous" if seen.user is None else f"as {seen.user}"
    if not seen.carried:
        remedy = "let this user read and write the topics in docs/contract.md: a broker refuses in silence"
        return fail(what, f"{seen.where} lets us in {who} and does not carry our words", remedy)
    return ok(what, f"{seen.where} lets us in {who}, publish and subscribe")


def judge_cloud(seen: BrokerSight) -> Finding:
    """Judge the cloud's broker; who may say what there is the relay's to test."""
    if seen.trouble is None:
        return ok("cloud broker", f"{seen.where} lets us in as {seen.user}")
    remedy = "look at this network and at the relay, where `room renew` makes a new password"
    return fail("cloud broker", f"{seen.where}: {seen.trouble}", remedy)


def judge_plug(seen: PlugSight, waited_s: float) -> Finding:
    """Judge what was heard of a plug in ``waited_s`` seconds."""
    what = f"plug of {seen.machine}"
    name = f"{seen.make} {seen.topic}"
    if seen.readings:
        power = "" if seen.power_w is None else f", {seen.power_w:g} W"
        return ok(what, f"{name} is heard{power}")
    if seen.is_offline:
        return fail(what, f"{name} left the broker", "see that it has power and network")
    why = ", ".join(f"{count} {reason}" for reason, count in sorted(seen.skipped.items()))
    if why and set(seen.skipped) != {"retained"}:
        remedy = "mend its source, channel or path: `laundryd edge discover` lists its line"
        return fail(what, f"{name} speaks, and nothing is measured ({why})", remedy)
    silent = f"{name} said nothing in {waited_s:g} s" + (f" ({why})" if why else "")
    if seen.can_be_asked:
        remedy = "it was asked: see that it is on, at this broker, and called so in its firmware"
        return fail(what, silent, remedy)
    remedy = "it cannot be asked and may speak on change only: switch its machine on, check again"
    return warn(what, silent, remedy)


def judge_unused(lines: Sequence[str], *, all_heard: bool) -> list[Finding]:
    """Name plugs that are heard and measure no machine, which matters while another's is not heard."""
    if all_heard:
        return []
    remedy = "if one is a silent machine's, put this line into its table"
    return [warn("plug of no machine", line, remedy) for line in lines[:UNUSED_SHOWN]]
