/** What is to leave a page: "told elsewhere" to one that has just told it itself, and what it missed. Pure. */

import type { DeliveryState, MyNotice } from "../wire/types";

/** As long as a server waits for an acknowledgement: what comes sooner answers our own. */
export const ECHO_MS = 5_000;

/**
 * Say which of `ids` to take off the page. One that was acknowledged here a moment ago stays: two open
 * pages acknowledge the same notice at once, and it must not vanish from both before it is read.
 */
export function toTakeOff(
  ids: readonly string[],
  acknowledged_ms: ReadonlyMap<string, number>,
  now_ms: number,
): string[] {
  return ids.filter((id) => {
    const at = acknowledged_ms.get(id);
    return at === undefined || now_ms - at >= ECHO_MS;
  });
}

/** Say which of `ids` are of notices in one of `states`. Pure. */
export function within(
  states: readonly DeliveryState[],
  ids: readonly string[],
  found: readonly MyNotice[],
): string[] {
  const over = found.filter(({ state }) => states.includes(state)).map(({ notice }) => notice.id);
  return ids.filter((id) => over.includes(id));
}
