/** What became of a notice, in the resident's words. Pure. */

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

export function stateWords(lang: Lang, state: DeliveryState): string {
  const known: Partial<Record<string, string>> = TEXTS[lang];
  return known[`fate.${state}`] ?? textIn(lang, "notice.unknown");
}

/** Why, as a sentence; what a push service answered is said as it answered; empty: the state says it all. */
export function whyWords(lang: Lang, why: string): string {
  if (why === "") return "";
  const known: Partial<Record<string, string>> = TEXTS[lang];
  return known[`why.${why}`] ?? fill(textIn(lang, "why.answered"), { answer: why });
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
