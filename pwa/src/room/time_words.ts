/** How long, until when: which sentence a machine's card says about time. Pure. */

import type { MachineView } from "../wire/types";

export interface TimeWords {
  key: TimeKey;
  minutes: number;
  /** The moment that the sentence names, ms since 1970; null when it names none. */
  at_ms: number | null;
}

export type TimeKey =
  | "time.free_for"
  | "time.held_until"
  | "time.left"
  | "time.any_moment"
  | "time.running_for"
  | "time.done_for"
  | "time.done_now"
  | "time.out_since";

/** A length in the unit that people would say it in. */
export interface Length {
  key: "length.minutes" | "length.hours" | "length.days";
  count: number;
}

const MINUTE_MS = 60_000;
const HOUR_MIN = 60;
const DAY_MIN = 24 * HOUR_MIN;

/** Say whole minutes as minutes below two hours, as hours below two days, then as days. */
export function length(minutes: number): Length {
  if (minutes < 2 * HOUR_MIN) return { key: "length.minutes", count: minutes };
  if (minutes < 2 * DAY_MIN) return { key: "length.hours", count: Math.floor(minutes / HOUR_MIN) };
  return { key: "length.days", count: Math.floor(minutes / DAY_MIN) };
}

function minutes(ms: number): number {
  return Math.max(0, Math.floor(ms / MINUTE_MS));
}

/** Say what a card says at `now_ms` (room time); null: nothing worth saying. */
export function timeWords(machine: MachineView, now_ms: number): TimeWords | null {
  const since = Date.parse(machine.since);
  const at = (text: string | null | undefined) => (text == null ? null : Date.parse(text));
  switch (machine.phase) {
    case "free": {
      const free = minutes(now_ms - since);
      return free < 1 ? null : { key: "time.free_for", minutes: free, at_ms: null };
    }
    case "claimed":
    case "arrived": {
      const until = at(machine.held_until);
      if (until === null) return null;
      return { key: "time.held_until", minutes: upTo(until - now_ms), at_ms: until };
    }
    case "in_use": {
      const ends = at(machine.ends_at);
      if (ends === null) {
        const started = at(machine.started_at) ?? since;
        return { key: "time.running_for", minutes: minutes(now_ms - started), at_ms: null };
      }
      if (ends <= now_ms) return { key: "time.any_moment", minutes: 0, at_ms: ends };
      return { key: "time.left", minutes: upTo(ends - now_ms), at_ms: ends };
    }
    case "finished": {
      const done = minutes(now_ms - (at(machine.ended_at) ?? since));
      return { key: done < 1 ? "time.done_now" : "time.done_for", minutes: done, at_ms: null };
    }
    case "out_of_order":
      return { key: "time.out_since", minutes: minutes(now_ms - since), at_ms: since };
  }
}

/** Whole minutes that are left, the nearest; never 0 before it is over. */
function upTo(ms: number): number {
  return ms <= 0 ? 0 : Math.max(1, Math.round(ms / MINUTE_MS));
}
