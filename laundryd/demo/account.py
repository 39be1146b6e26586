"""The running account of the demo: a line an event, and under it who was told and how."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Final

import segno
from rich.console import Console
from rich.markup import escape

from laundryd.demo.sightings import How, Sighting
from laundryd.demo.town import MACHINES, Town
from laundryd.wire.ids import Slug
from laundryd.wire.phases import Cause, Sensor

WHAT_HAPPENED: Final[dict[Cause, tuple[str, str]]] = {
    Cause.CLAIMED: ("yellow", "{who} is on the way; it is held for 10 minutes"),
    Cause.ARRIVED: ("yellow", "{who} is there"),
    Cause.STARTED: ("cyan", "{who} registered it as in use"),
    Cause.ADOPTED: ("cyan", "{who} said: that one is mine"),
    Cause.RELEASED: ("green", "{who} gave it back; it is free"),
    Cause.HOLD_ENDING: ("dim", "{who} is told that the hold ends soon"),
    Cause.HOLD_ENDED: ("green", "{who} did not come; it is free again"),
    Cause.CYCLE_STARTED: ("cyan", "the plug sees it run"),
    Cause.NOT_STARTED: ("green", "it does not run; it is free again"),
    Cause.ENDING_SOON: ("magenta", "it ends soon"),
    Cause.FINISHED: ("magenta", "it is done; the laundry is inside"),
    Cause.RESUMED: ("cyan", "it goes on after all; the laundry is still its owner's"),
    Cause.END_EXPECTED: ("dim", "its plug knows better when it ends"),
    Cause.EXTENDED: ("cyan", "{who} says: it takes longer"),
    Cause.REMINDED: ("magenta", "{who} is reminded: the laundry is still there"),
    Cause.PICKUP_REQUESTED: ("yellow", "somebody asks {who} to collect"),
    Cause.OWNER_COMING: ("yellow", "{who} is coming to collect"),
    Cause.FAULT_REPORTED: ("red", "a resident reports a fault to the staff"),
    Cause.FAULT_CLEARED: ("green", "the staff says: it is fine"),
    Cause.COLLECTED: ("green", "the laundry is out; it is free"),
    Cause.OUT_OF_ORDER: ("red", "the staff says: out of order"),
    Cause.REPAIRED: ("green", "the staff says: repaired"),
    Cause.SENSOR_CHANGED: ("dim", "its plug: {sensor}"),
}
"""Cause -> colour and sentence; ``{who}`` is a simulated resident, or "a resident": a visitor, you."""
_HOW: Final = {
    How.EDGE: "on the room's own page",
    How.RELAY: "on the relay's page",
    How.PUSH: "by an encrypted push, as the app is closed",
}


class Account:
    """Writes to standard output; ``owners`` says which simulated resident has which machine."""

    def __init__(self) -> None:
        self.owners: dict[Slug, str] = {}
        self.town: Town | None = None
        self._console = Console(highlight=False, soft_wrap=True)
        self._names = {machine.id: machine.name for machine in MACHINES}
        self._told: set[str] = set()
        self._heard: set[Slug] = set()
        """Machines whose plugs have spoken: only they can fall silent."""

    def welcome(self, town: Town) -> None:
        """Print where everything is, and the join code as text and as a QR picture."""
        self.town = town
        out = self._console.print
        out(f"\n[bold]laundryd demo[/]  {town.plan.clock_speed:g} room seconds in a second\n")
        out(f"  from anywhere    [bold]{town.relay_url}[/]  (join here first)")
        out(f"  the room's page  [bold]{town.edge_url}[/]  (opened from the app's menu)")
        out(f"  join code        [bold]{town.join_code}[/]\n")
        segno.make(town.join_url, error="m").terminal(out=sys.stdout, compact=True)
        sys.stdout.flush()
        out(f"\n  {town.join_url}\n")
        out(
            "  Six machines, three simulated residents: Mina in the room, Juno elsewhere, Sora with"
        )
        out("  a closed app. Claim a machine yourself. Ctrl-C ends everything.\n")

    def saw(self, sighting: Sighting) -> None:
        """Write down what a simulated resident saw; an event that two of them see is written once."""
        if sighting.what == "notice":
            self._notice(sighting)
        elif sighting.subject not in self._told:
            self._told.add(sighting.subject)
            if self._is_news(sighting):
                self._event(sighting)

    def _is_news(self, one: Sighting) -> bool:
        """Leave out that plugs are not heard before they are: each new room begins so."""
        if one.kind != Cause.SENSOR_CHANGED or one.view is None:
            return True
        was_heard = one.machine in self._heard
        if one.view.sensor is Sensor.OK:
            self._heard.add(one.machine)
        return was_heard

    def _event(self, one: Sighting) -> None:
        colour, sentence = WHAT_HAPPENED[Cause(one.kind)]
        who = self.owners.get(one.machine, "a resident")
        sensor = "" if one.view is None else one.view.sensor
        self._console.print(
            f"{_clock(one.caused_at)}  [bold]{self._name(one.machine):9}[/]  "
            f"[{colour}]{escape(sentence.format(who=who, sensor=sensor))}[/]"
        )

    def _notice(self, one: Sighting) -> None:
        after = ""
        if self.town is not None and one.caused_at is not None:
            after = f", {max(0, round((one.seen_s - self.town.real_s(one.caused_at)) * 1000))} ms"
        self._console.print(
            f"{'':21}[dim]└[/] {one.who} is told {_HOW[one.how]}{after}: [italic]“{escape(one.text)}”[/]"
        )

    def _name(self, machine: Slug) -> str:
        return self._names.get(machine, machine)


def _clock(moment: datetime | None) -> str:
    return "--:--:--" if moment is None else moment.astimezone().strftime("%H:%M:%S")
