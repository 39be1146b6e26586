/** When to come back after a lost connection. Pure. */

import type { Backoff } from "../wire/types";

/** Until the first welcome says the server's own. */
export const DEFAULT_BACKOFF: Backoff = { first_s: 1, factor: 2, cap_s: 30, jitter: "full" };

/** Tries that may fail before the page says that it is offline; it goes on trying. */
export const TRIES_BEFORE_OFFLINE = 5;

/** Seconds before try `attempt` (the first is 0); `random` is in [0, 1). Full jitter. */
export function delay_s(backoff: Backoff, attempt: number, random: number): number {
  return random * Math.min(backoff.cap_s, backoff.first_s * backoff.factor ** attempt);
}
