/** The app's words. Texts are data; this finds and fills them. */

import { tables } from "../wire/tables";
import type { Lang, NoticeCard, NoticeFrame } from "../wire/types";
import en from "./en.json";
import ko from "./ko.json";

export type TextKey = keyof typeof en;
export type Params = Record<string, string | number>;

export const TEXTS: Record<Lang, Record<TextKey, string>> = { ko, en };

/** The language to begin with, from what the browser prefers. */
export function preferredLang(languages: readonly string[]): Lang {
  for (const tag of languages) {
    const base = tag.toLowerCase().split("-")[0];
    if (base === "ko" || base === "en") return base;
  }
  return "en";
}

export function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

export function textIn(lang: Lang, key: TextKey, params: Params = {}): string {
  return fill(TEXTS[lang][key], params);
}

/** The sentence for an error code; of one that a resident cannot mend, the general one. */
export function errorText(lang: Lang, code: string): string {
  const key = `error.${code}`;
  const known: Record<string, string> = TEXTS[lang];
  return known[key] ?? textIn(lang, "error.internal");
}

/** A notice's title and body, from the contract's own table; a kind of a newer server is empty. */
export function noticeText(lang: Lang, notice: NoticeFrame | NoticeCard): { title: string; body: string } {
  const row = tables.notices[notice.kind] as (typeof tables.notices)[NoticeFrame["kind"]] | undefined;
  if (row === undefined) return { title: textIn(lang, "notice.unknown"), body: "" };
  const { title, body } = row.texts[lang];
  return { title: fill(title, notice.params), body: fill(body, notice.params) };
}

/** Beyond it a time of day alone may be taken for another day's. */
const SAME_DAY_MS = 12 * 3_600_000;

/** A moment that has passed, as people write it: with the date when it is long ago. */
export function momentWords(lang: Lang, at_ms: number, now_ms: number): string {
  if (Math.abs(now_ms - at_ms) < SAME_DAY_MS) return timeOfDay(lang, at_ms);
  const form = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" } as const;
  return new Intl.DateTimeFormat(variety(lang), form).format(at_ms);
}

/** A day by its date, "Mon 23 November". */
export function dayWords(lang: Lang, at_ms: number): string {
  const form = { weekday: "short", month: "long", day: "numeric" } as const;
  return new Intl.DateTimeFormat(variety(lang), form).format(at_ms);
}

/** A day that may lie in another year. */
export function dateWords(lang: Lang, at_ms: number): string {
  return new Intl.DateTimeFormat(variety(lang), { dateStyle: "medium" }).format(at_ms);
}

/** A time of day with its seconds: the steps of a notice are seconds apart. */
export function preciseTime(lang: Lang, at_ms: number): string {
  return new Intl.DateTimeFormat(variety(lang), { timeStyle: "medium" }).format(at_ms);
}

/** The browser's own variety of the language, where it has one. */
function variety(lang: Lang): string {
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(lang)) ?? lang;
}

/**
 * A moment's time of day as people of that language write it; in the browser's own variety of the
 * language, where it has one: English people write 21:15, Americans 9:15 PM.
 */
export function timeOfDay(lang: Lang, at_ms: number): string {
  const form = { hour: "numeric", minute: "2-digit" } as const;
  return new Intl.DateTimeFormat(variety(lang), form).format(at_ms);
}
