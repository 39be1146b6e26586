/** The notices on the page: shown once, acknowledged when somebody can see them, taken off. */

import { signal } from "@preact/signals";
import { acknowledgeLive } from "../live/outbox";
import { tables } from "../wire/tables";
import type { Cause, NoticeFrame } from "../wire/types";
import { toTakeOff } from "./gone";
import { keepSeen, seenIds } from "./seen";

export const notices = signal<readonly NoticeFrame[]>([]);
/** When this page acknowledged a notice that it shows, in the page's own milliseconds. */
const acknowledged_ms = new Map<string, number>();

export function noticeCame(notice: NoticeFrame): void {
  // Shown before, here, in another tab or before a reload: never twice, but the server should know.
  if (seenIds().includes(notice.id)) return acknowledgeLive("ack", [notice.id]);
  // Here already, but on a page that nobody has looked at yet: not shown, so not acknowledged.
  if (notices.value.some((held) => held.id === notice.id)) return;
  notices.value = [notice, ...notices.value];
}

/** Divide into what is news and what a push told before this page came; each in its order. */
export function byTold(
  shown: readonly NoticeFrame[],
): [news: NoticeFrame[], told: NoticeFrame[]] {
  return [shown.filter(({ told }) => !told), shown.filter(({ told }) => told)];
}

/** The server says that these were told or read elsewhere, or are of no use any more. */
export function noticeGone(ids: readonly string[]): void {
  takeOff(toTakeOff(ids, acknowledged_ms, performance.now()));
}

/** A machine changed: what was shown here and asks for nothing any more goes. */
export function machineChanged(room: string, machine: string, cause: Cause): void {
  const seen = seenIds();
  const moot = notices.value.filter(
    (notice) =>
      notice.room === room &&
      notice.machine === machine &&
      tables.notices[notice.kind]?.moot_after.includes(cause) &&
      seen.includes(notice.id),
  );
  for (const { id } of moot) dismiss(id);
}

/** Off the page, and out of the system's list. */
export function takeOff(ids: readonly string[]): void {
  notices.value = notices.value.filter((notice) => !ids.includes(notice.id));
  for (const id of ids) {
    acknowledged_ms.delete(id);
    closeNotification(id);
  }
}

/** Call after rendering, and when the page becomes visible. */
export function acknowledgeShown(): void {
  if (document.visibilityState !== "visible") return;
  const seen = seenIds();
  const fresh = notices.value.map((notice) => notice.id).filter((id) => !seen.includes(id));
  if (fresh.length === 0) return;
  keepSeen(fresh);
  for (const id of fresh) acknowledged_ms.set(id, performance.now());
  acknowledgeLive("ack", fresh);
}

/** The resident opened or dismissed it. */
export function dismiss(id: string): void {
  keepSeen([id]);
  takeOff([id]);
  acknowledgeLive("read", [id]);
}

/** The same notice may stand in the system's list, from a push: it was told here now. */
function closeNotification(id: string): void {
  void navigator.serviceWorker
    ?.getRegistration()
    .then((registration) => registration?.getNotifications({ tag: id }))
    .then((shown) => shown?.forEach((notification) => notification.close()));
}
