/** What a resident may wish of each kind, and what they do. Pure. */

import type { Length } from "../room/time_words";
import type { NoticeRow } from "../wire/tables";
import type { Choice, NoticeKind, NoticePreferencesOutput, QuietHours } from "../wire/types";

/** What the page keeps; what the server sends and takes. */
export type Wishes = NoticePreferencesOutput;

/** Begun with: the night of most people. */
export const FIRST_NIGHT = { begin: "23:00", end: "07:00" } as const;
const DAY_MIN = 24 * 60;

/** What may be chosen of a kind, the most first. */
export function choicesOf(row: Pick<NoticeRow, "channel" | "may_turn_off">): Choice[] {
  const most: Choice[] = row.channel === "app_and_push" ? ["app_and_push", "app_only"] : ["app_only"];
  return row.may_turn_off ? [...most, "nothing"] : most;
}

/** What is in force: a wish that its row does not allow is the nearest that it does. */
export function chosen(
  wishes: Wishes,
  kind: NoticeKind,
  row: Pick<NoticeRow, "channel" | "may_turn_off">,
): Choice {
  const allowed = choicesOf(row);
  const wished = wishes.choices[kind] ?? "app_and_push";
  if (allowed.includes(wished)) return wished;
  return "app_only";
}

/** Wish `choice` of a kind; what is told anyway is not named, so that it needs no keeping. */
export function withChoice(
  wishes: Wishes,
  kind: NoticeKind,
  row: Pick<NoticeRow, "channel" | "may_turn_off">,
  choice: Choice,
): Wishes {
  const { [kind]: _before, ...others } = wishes.choices;
  const is_default = choice === choicesOf(row)[0];
  return { ...wishes, choices: is_default ? others : { ...others, [kind]: choice } };
}

/** The hours to begin with, in the browser's own zone; UTC where it does not say one. */
export function firstNight(zone: string | undefined): QuietHours {
  return { ...FIRST_NIGHT, zone: zone || "UTC" };
}

/** How long it is quiet, minutes; null: not a time, or no length. */
export function quietMinutes({ begin, end }: Pick<QuietHours, "begin" | "end">): number | null {
  const [from, to] = [minuteOf(begin), minuteOf(end)];
  if (from === null || to === null || from === to) return null;
  return (to - from + DAY_MIN) % DAY_MIN;
}

/** A length to the minute. */
export function exactly(minutes: number): Length {
  const [count, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (count === 0) return { key: "length.minutes", count: rest, rest: 0 };
  return { key: rest === 0 ? "length.hours" : "length.hours_minutes", count, rest };
}

function minuteOf(clock: string): number | null {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(clock);
  return parts === null ? null : Number(parts[1]) * 60 + Number(parts[2]);
}

/** The zones to choose of: the reader's own and the chosen one first, then all that the browser knows. */
export function zonesOf(known: readonly string[], ...first: (string | undefined)[]): string[] {
  return [...new Set([...first.filter((zone) => zone !== undefined && zone !== ""), ...known])] as string[];
}
