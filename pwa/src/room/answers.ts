/** What came of a command, in the resident's words. Pure. */

import type { Refused } from "../state/commands";
import { errorText, textIn, timeOfDay } from "../texts/texts";
import type { CommandName, Lang } from "../wire/types";

const MINUTE_MS = 60_000;

/** Those that the card shows by itself: told to who cannot see it, not written beside it. */
const SEEN_ON_THE_CARD: ReadonlySet<CommandName> = new Set([
  "claim",
  "arrive",
  "start",
  "adopt",
  "release",
  "collect",
  "watch",
  "unwatch",
]);

/** Whether the answer to an accepted command need not be written on the page. */
export function seenAnyway(name: CommandName): boolean {
  return SEEN_ON_THE_CARD.has(name);
}

/** Why nothing happened and what to do; from when it may be said again, where that is known. */
export function refusalText(lang: Lang, { name, code, retry_at_ms }: Refused): string {
  if (code !== "rate_limited" || retry_at_ms === null) return errorText(lang, code);
  // Upwards: at the time that is named it works.
  const time = timeOfDay(lang, Math.ceil(retry_at_ms / MINUTE_MS) * MINUTE_MS);
  return textIn(lang, name === "request_pickup" ? "refused.asked_already" : "refused.later", { time });
}
