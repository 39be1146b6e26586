/** How long, until when: which sentence a machine's card says about time. Pure. */

import type { MachineView } from "../wire/types";

export interface TimeWords {
  key: TimeKey;
  minutes: number;
  /** The other end of a range, minutes; null when the sentence says one number. */
  up_to: number | null;
  /** The moment that the sentence names, ms since 1970; null when it names none. */
  at_ms: number | null;
}

export type TimeKey =
  | "time.free_for"
  | "time.held_until"
  | "time.held_over"
  | "time.left"
  | "time.left_between"
  | "time.left_at_most"
  | "time.any_moment"
  | "time.running_for"
  | "time.done_for"
  | "time.done_now"
  | "time.out_since";

/** A length in the unit that people would say it in; `rest` minutes beside whole hours. */
export interface Length {
  key: "length.minutes" | "length.hours" | "length.hours_minutes" | "length.days";
  count: number;
  rest: number;
}

const MINUTE_MS = 60_000;
const HOUR_MIN = 60;
const DAY_MIN = 24 * HOUR_MIN;
/** Below it a plug's guess is said as a range, without a time of day: one number would be believed. */
export const SURE = 0.6;
/** What is left, rather than what has passed, is said to ten minutes when it is hours. */
const LONG_STEP_MIN = 10;
const RANGE_STEP_MIN = 5;

/** Say whole minutes as minutes below two hours, as hours below two days, then as days. */
export function length(minutes: number): Length {
  if (minutes < 2 * HOUR_MIN) return { key: "length.minutes", count: minutes, rest: 0 };
  if (minutes >= 2 * DAY_MIN) {
    return { key: "length.days", count: Math.floor(minutes / DAY_MIN), rest: 0 };
  }
  return { key: "length.hours", count: Math.floor(minutes / HOUR_MIN), rest: 0 };
}

/** Say what is left: of more than two hours the minutes matter, too. */
export function lengthLeft(minutes: number): Length {
  const steps = Math.round(minutes / LONG_STEP_MIN) * LONG_STEP_MIN;
  const rest = steps % HOUR_MIN;
  if (minutes < 2 * HOUR_MIN || minutes >= DAY_MIN || rest === 0) {
    return length(minutes < 2 * HOUR_MIN ? minutes : steps);
  }
  return { key: "length.hours_minutes", count: Math.floor(steps / HOUR_MIN), rest };
}

function minutes(ms: number): number {
  return Math.max(0, Math.floor(ms / MINUTE_MS));
}

/** Say what a card says at `now_ms` (room time); null: nothing worth saying. */
export function timeWords(machine: MachineView, now_ms: number): TimeWords | null {
  const since = Date.parse(machine.since);
  const at = (text: string | null) => (text === null ? null : Date.parse(text));
  const say = (key: TimeKey, count: number, at_ms: number | null = null): TimeWords => ({
    key,
    minutes: count,
    up_to: null,
    at_ms,
  });
  switch (machine.phase) {
    case "free": {
      const free = minutes(now_ms - since);
      return free < 1 ? null : say("time.free_for", free);
    }
    case "claimed":
    case "arrived": {
      const until = at(machine.held_until);
      if (until === null) return null;
      if (until <= now_ms) return say("time.held_over", 0);
      return say("time.held_until", upTo(until - now_ms), until);
    }
    case "in_use": {
      const ends = at(machine.ends_at);
      if (ends !== null) return left(machine, ends, now_ms);
      return say("time.running_for", minutes(now_ms - (at(machine.started_at) ?? since)));
    }
    case "finished": {
      const done = minutes(now_ms - (at(machine.ended_at) ?? since));
      return say(done < 1 ? "time.done_now" : "time.done_for", done);
    }
    case "out_of_order":
      return say("time.out_since", minutes(now_ms - since), since);
  }
}

/** What is left until `ends_ms`: never 0 minutes, and no more exact than it is known. */
function left(machine: MachineView, ends_ms: number, now_ms: number): TimeWords {
  const ms = ends_ms - now_ms;
  if (ms < MINUTE_MS) return { key: "time.any_moment", minutes: 0, up_to: null, at_ms: null };
  const count = upTo(ms);
  if (sure(machine)) return { key: "time.left", minutes: count, up_to: null, at_ms: ends_ms };
  const [low, high] = range(count, machine.ends_confidence ?? 0);
  if (low < RANGE_STEP_MIN) {
    return { key: "time.left_at_most", minutes: high, up_to: null, at_ms: null };
  }
  return { key: "time.left_between", minutes: low, up_to: high, at_ms: null };
}

/** A resident's own minutes are taken at their word; a guess of a plug that fell silent is not. */
function sure(machine: MachineView): boolean {
  if (machine.ends_confidence === null) return true;
  return machine.sensor === "ok" && machine.ends_confidence >= SURE;
}

/** A range around `count` minutes, wider the less sure, in steps of five, outwards. */
function range(count: number, confidence: number): [low: number, high: number] {
  const spread = count * Math.max(1 - SURE, 1 - confidence) * 0.5;
  const step = RANGE_STEP_MIN;
  const low = Math.floor((count - spread) / step) * step;
  return [low, Math.max(low + step, Math.ceil((count + spread) / step) * step)];
}

/** Whole minutes that are left, the nearest; never 0 before it is over. */
function upTo(ms: number): number {
  return ms <= 0 ? 0 : Math.max(1, Math.round(ms / MINUTE_MS));
}
