/** Which notices were shown on this device, over reloads and tabs. */

const KEY = "laundryd.notices_seen";
/** A resident gets some ten notices a day; what is older than 200 is past every useful_until. */
export const KEPT = 200;

/** Add ids, newest last, and forget the oldest beyond KEPT. Pure. */
export function remember(seen: readonly string[], ids: readonly string[]): string[] {
  const rest = seen.filter((id) => !ids.includes(id));
  return [...rest, ...ids].slice(-KEPT);
}

export function seenIds(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}

export function keepSeen(ids: readonly string[]): void {
  localStorage.setItem(KEY, JSON.stringify(remember(seenIds(), ids)));
}
