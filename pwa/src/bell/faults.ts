/** What the kind of a push's fault means to its owner. Pure. */

export type FaultClass = "gone" | "key" | "refused" | "later" | "unreached" | "ours";

const UNREACHED: readonly string[] = ["timeout", "dns", "tls", "connection", "not_http"];
/** The server's key was changed, and this device's app not opened in all the time that both were good. */
const KEY = "key_dropped";
const GONE: readonly string[] = ["http_404", "http_410", "fcm_unregistered"];
const LATER: readonly string[] = ["fcm_quota_exceeded", "fcm_unavailable", "fcm_internal"];
/** FCM was not asked, or not by us. */
const OURS: readonly string[] = ["fcm_credentials", "fcm_off"];

/** Sort a kind, `http_410` or the name of what failed; one of a newer server is the relay's own. */
export function faultClass(kind: string): FaultClass {
  if (GONE.includes(kind)) return "gone";
  if (kind === KEY) return "key";
  if (UNREACHED.includes(kind)) return "unreached";
  if (LATER.includes(kind)) return "later";
  if (kind.startsWith("fcm_")) return OURS.includes(kind) ? "ours" : "refused";
  const status = Number(/^http_(\d{3})$/.exec(kind)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) return "ours";
  return status >= 500 || status === 408 || status === 429 ? "later" : "refused";
}
