/** What became of notices elsewhere, while this app was closed or its connection was lost. */

import { getMyNotices } from "../api/calls";
import { me } from "../state/signals";
import type { DeliveryState } from "../wire/types";
import { within } from "./gone";
import { notices, takeOff } from "./notices";

/** The resident opened or dismissed it, or it came to nothing: no page shows it any more. */
const OFF_PAGES: readonly DeliveryState[] = ["read", "moot"];
/** And what an app showed need not stand in the system's list. */
const OFF_THE_LIST: readonly DeliveryState[] = [...OFF_PAGES, "shown"];
/** Pages ask within so long: a house whose server was restarted comes back in one second. */
const SPREAD_MS = 3_000;
let asks: number | undefined;

/** The app starts: the system's list loses what was seen elsewhere. Asks only where something is listed. */
export async function closeOver(): Promise<void> {
  try {
    const registration = await navigator.serviceWorker?.getRegistration();
    const listed = (await registration?.getNotifications()) ?? [];
    if (listed.length === 0 || !isAtTheRelay()) return;
    const tags = listed.map(({ tag }) => tag);
    const over = within(OFF_THE_LIST, tags, (await getMyNotices()).notices);
    for (const one of listed) if (over.includes(one.tag)) one.close();
  } catch {
    // They stay until they are tapped, or the next start.
  }
}

/** A connection is there again: the page loses what was read elsewhere. Asks only where it shows something. */
export function takeOffOver(): void {
  if (notices.value.length === 0 || !isAtTheRelay()) return;
  clearTimeout(asks);
  asks = window.setTimeout(() => void ask(), Math.random() * SPREAD_MS);
}

async function ask(): Promise<void> {
  try {
    const found = (await getMyNotices()).notices;
    takeOff(within(OFF_PAGES, notices.value.map(({ id }) => id), found));
  } catch {
    // The next connection asks again.
  }
}

/** A room's own page has no such list: it pushes nothing, and its notices are one server's. */
function isAtTheRelay(): boolean {
  return (me.value?.wishes ?? null) !== null;
}
