/** What the kind of a push's fault means to its owner. Pure. */

export type FaultClass = "gone" | "key" | "refused" | "later" | "unreached" | "ours";

const UNREACHED: readonly string[] = ["timeout", "dns", "tls", "connection", "not_http"];
const GONE: readonly string[] = ["http_404", "http_410"];
/** The server's key was changed, and this device's app not opened in all the time that both were good. */
const KEY = "key_dropped";

/** Sort a kind, `http_410` or the name of what failed; one of a newer server is the relay's own. */
export function faultClass(kind: string): FaultClass {
  if (GONE.includes(kind)) return "gone";
  if (kind === KEY) return "key";
  if (UNREACHED.includes(kind)) return "unreached";
  const status = Number(/^http_(\d{3})$/.exec(kind)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) return "ours";
  return status >= 500 || status === 408 || status === 429 ? "later" : "refused";
}
