/** Whose a machine is. Pure. */

import type { MachineView, Mine } from "../wire/types";

/** `owner`: it runs or is finished with my laundry; `holder`: held for me; `none`: not mine. */
export type Ownership = "owner" | "holder" | "none";

export const NOTHING_MINE: Mine = {
  type: "mine",
  machines: [],
  claims: [],
  watches: [],
  pickup_muted: [],
};

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
