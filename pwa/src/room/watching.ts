/** Waiting for a machine of a kind: what the page says about it. Pure. */

import type { MachineKind, MachineView, Mine } from "../wire/types";
import { holdsKind } from "./ownership";

export type Watching =
  /** One is free, or the resident holds one: there is nothing to wait for. */
  | { state: "idle" }
  | { state: "offered" }
  /** In the line, not told yet. */
  | { state: "waiting" }
  /** Told that one is free, and nobody else is until `until_ms`. */
  | { state: "first"; until_ms: number }
  /** Their time is over; the next in the line was told. */
  | { state: "passed" };

/** What the resident's watch of a kind is at `now_ms`, room time. */
export function watching(
  mine: Mine,
  room: string,
  kind: MachineKind,
  machines: readonly MachineView[],
  now_ms: number,
): Watching {
  const watch = mine.watches.find((one) => one.room === room && one.kind === kind);
  if (watch !== undefined) {
    if (watch.told_until === null) return { state: "waiting" };
    const until_ms = Date.parse(watch.told_until);
    return until_ms > now_ms ? { state: "first", until_ms } : { state: "passed" };
  }
  const here = machines.filter((machine) => machine.kind === kind);
  if (here.length === 0 || here.some((machine) => machine.phase === "free")) return { state: "idle" };
  return { state: holdsKind(mine, room, kind, here) ? "idle" : "offered" };
}

/** Room time, ms since 1970, at which the first machine of these is expected to end; null: unknown. */
export function firstEnd_ms(machines: readonly MachineView[], now_ms: number): number | null {
  const ends = machines
    .filter((machine) => machine.phase === "in_use" && machine.ends_at !== null)
    .map((machine) => Date.parse(machine.ends_at ?? ""))
    .filter((end) => end > now_ms);
  return ends.length === 0 ? null : Math.min(...ends);
}
