/** How long something is shown, as people say it. Pure. */

import type { Lang } from "../wire/types";

const HOUR_MIN = 60;
const DAY_MIN = 24 * HOUR_MIN;

/** `120` is "2 hours", `2880` "2 days"; what is neither whole is said in minutes. */
export function durationWords(lang: Lang, minutes: number): string {
  const [unit, count] =
    minutes % DAY_MIN === 0
      ? (["day", minutes / DAY_MIN] as const)
      : minutes % HOUR_MIN === 0
        ? (["hour", minutes / HOUR_MIN] as const)
        : (["minute", minutes] as const);
  const form = { style: "unit", unit, unitDisplay: "long" } as const;
  return new Intl.NumberFormat(lang, form).format(count);
}
