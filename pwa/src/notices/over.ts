/** The system's list of notifications: what was seen elsewhere while this app was closed leaves it. */

import { getMyNotices } from "../api/calls";
import type { DeliveryState, MyNotice } from "../wire/types";

/** An app showed it, the resident opened it, or it came to nothing. */
const OVER: readonly DeliveryState[] = ["shown", "read", "moot"];

/** Say which of the notifications listed by `tags` are of notices that are over. Pure. */
export function overOf(tags: readonly string[], notices: readonly MyNotice[]): string[] {
  const over = notices.filter(({ state }) => OVER.includes(state)).map(({ notice }) => notice.id);
  return tags.filter((tag) => over.includes(tag));
}

/** Ask only where something is listed. A server that is away is asked at the next start. */
export async function closeOver(): Promise<void> {
  try {
    const registration = await navigator.serviceWorker?.getRegistration();
    const listed = (await registration?.getNotifications()) ?? [];
    if (listed.length === 0) return;
    const over = overOf(listed.map(({ tag }) => tag), (await getMyNotices()).notices);
    for (const one of listed) if (over.includes(one.tag)) one.close();
  } catch {
    // They stay until they are tapped, or the next start.
  }
}
