/** Whose a machine is, and which words may be said to it. Pure. */

import { tables } from "../wire/tables";
import type { CommandName, MachineView, Mine } from "../wire/types";

/** `owner`: it runs or is finished with my laundry; `holder`: held for me; `none`: not mine. */
export type Ownership = "owner" | "holder" | "none";

export const NOTHING_MINE: Mine = { type: "mine", machines: [], claims: [], watches: [] };

/** The order in which a card offers its buttons; the first is the one most probably meant. */
const ORDER: readonly CommandName[] = ["arrive", "collect", "claim", "start", "adopt", "release"];

export function ownership(mine: Mine, room: string, machine: string): Ownership {
  const here = (item: { room: string; machine: string }) =>
    item.room === room && item.machine === machine;
  if (mine.machines.some(here)) return "owner";
  return mine.claims.some(here) ? "holder" : "none";
}

/** Whether the resident already holds a machine of this kind in this room: one claim a kind. */
export function holdsKind(mine: Mine, room: string, kind: string, machines: MachineView[]): boolean {
  const held = new Set(mine.claims.filter((c) => c.room === room).map((c) => c.machine));
  return machines.some((machine) => machine.kind === kind && held.has(machine.machine));
}

/** The commands that a card offers, best first. The server has the last word on each. */
export function offered(machine: MachineView, whose: Ownership, holds: boolean): CommandName[] {
  const nobodys = !machine.has_owner;
  const mine = whose !== "none";
  const allowed: Record<CommandName, boolean> = {
    claim: nobodys && !holds,
    arrive: mine,
    start: machine.phase === "free" ? nobodys : mine,
    adopt: nobodys,
    release: mine,
    collect: mine || nobodys,
  };
  return ORDER.filter(
    (name) => allowed[name] && tables.command_phases[name].includes(machine.phase),
  );
}
