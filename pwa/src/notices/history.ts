/** What became of a notice, in words for the resident, or for the staff that looks it up. Pure. */

import { fill, textIn, TEXTS, type TextKey } from "../texts/texts";
import type { DeliveryState, DeliveryStep, Lang, MyNotice } from "../wire/types";

/** told: it reached them. open: still under way. untold: it should have, and did not. unneeded: it need not. */
export type Fate = "told" | "open" | "untold" | "unneeded";

const FATES: Record<DeliveryState, Fate> = {
  held: "open",
  waiting: "open",
  due: "open",
  sending: "open",
  pushed: "told",
  shown: "told",
  read: "told",
  quiet: "open",
  app_only: "unneeded",
  declined: "unneeded",
  expired: "untold",
  moot: "unneeded",
  unreachable: "untold",
};

const SAYS_THE_SAME: readonly [DeliveryState, string][] = [
  ["declined", "wished"],
  ["quiet", "quiet_hours"],
  ["app_only", "kind"],
];

/** The state of a newer server is shown as under way. */
export function fateOf({ state }: MyNotice): Fate {
  return (FATES as Partial<Record<string, Fate>>)[state] ?? "open";
}

/** Who reads it: whom it concerns, or the staff. */
export type Reader = "resident" | "staff";

export function stateWords(lang: Lang, state: DeliveryState, reader: Reader = "resident"): string {
  return wordsFor(lang, `fate.${state}`, reader) ?? textIn(lang, "notice.unknown");
}

/** Why, as a sentence; what a push service answered is said as it answered; empty: the state says it all. */
export function whyWords(lang: Lang, why: string, reader: Reader = "resident"): string {
  if (why === "") return "";
  const answered = () => fill(wordsFor(lang, "why.answered", reader) ?? "", { answer: why });
  return wordsFor(lang, `why.${why}`, reader) ?? answered();
}

/** A text by its key; for the staff that of its own, where what a resident reads says "you". */
export function wordsFor(lang: Lang, key: string, reader: Reader): string | undefined {
  const known: Partial<Record<string, string>> = TEXTS[lang];
  return (reader === "staff" ? known[`staff.${key}`] : undefined) ?? known[key];
}

/** The step that led to where the notice is now: its last of that state, null when none is kept. */
export function decisive({ state, steps }: MyNotice): DeliveryStep | null {
  return steps.findLast((step) => step.state === state) ?? null;
}

/** Why a notice is where it is; empty where its state says the same. */
export function tellingWhy(notice: MyNotice): string {
  const why = decisive(notice)?.why ?? "";
  const says_the_same = SAYS_THE_SAME.some(([state, one]) => state === notice.state && one === why);
  return says_the_same ? "" : why;
}

/** Where a resident can do something about it. */
export function remedyOf(notice: MyNotice): "bell" | "wishes" | null {
  const why = decisive(notice)?.why ?? "";
  if (notice.state === "unreachable") return "bell";
  if (why === "wished" || notice.state === "quiet") return "wishes";
  return null;
}

export interface Day {
  /** Any moment of that day, ms since 1970. */
  at_ms: number;
  notices: MyNotice[];
}

/** Put notices, newest first, under the days of the reader's own calendar. */
export function byDay(notices: readonly MyNotice[]): Day[] {
  const days: Day[] = [];
  for (const notice of notices) {
    const at_ms = Date.parse(notice.notice.caused_at);
    const last = days.at(-1);
    if (last !== undefined && isSameDay(last.at_ms, at_ms)) last.notices.push(notice);
    else days.push({ at_ms, notices: [notice] });
  }
  return days;
}

/** "Today", "Yesterday", or null for a day that is named by its date. */
export function dayKey(at_ms: number, now_ms: number): (TextKey & `history.${string}`) | null {
  if (isSameDay(at_ms, now_ms)) return "history.today";
  const yesterday = new Date(now_ms);
  yesterday.setDate(yesterday.getDate() - 1);
  return isSameDay(at_ms, yesterday.getTime()) ? "history.yesterday" : null;
}

function isSameDay(one_ms: number, other_ms: number): boolean {
  return new Date(one_ms).toDateString() === new Date(other_ms).toDateString();
}
