/** Who carries this device's pushes: a push service, or FCM. One of them, never both. Pure. */

import type { FcmWeb } from "../wire/types";

/** After FCM could not be had the device stays with Web Push for so long. */
export const FCM_AGAIN_AFTER_MS = 7 * 24 * 3_600_000;

export interface Choice {
  /** The relay's Firebase project; null: it has none. */
  fcm: FcmWeb | null;
  android: boolean;
  /** When FCM could not be had last, ms since 1970; null: never. */
  failed_at_ms: number | null;
}

/**
 * Return the project to register with at `now_ms`; null: Web Push.
 *
 * FCM is for Android, where its messages reach a phone that dozes. Apple's, Mozilla's and Microsoft's push
 * services are spoken to without somebody in between.
 */
export function fcmFor({ fcm, android, failed_at_ms }: Choice, now_ms: number): FcmWeb | null {
  if (!android) return null;
  // A clock that was set back does not keep it away for longer.
  const waits = failed_at_ms !== null && Math.abs(now_ms - failed_at_ms) < FCM_AGAIN_AFTER_MS;
  return waits ? null : fcm;
}
