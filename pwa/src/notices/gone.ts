/** What "told elsewhere" means to a page that has just told it itself. Pure. */

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
