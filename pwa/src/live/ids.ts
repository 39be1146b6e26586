/** Names that this page makes: of its commands, and of its session. */

const SESSION_KEY = "laundryd.session";

/** 32 hex characters; crypto.randomUUID exists in secure contexts only, and a LAN page is none. */
export function newId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The session of this tab, kept over reloads; null before the first welcome. */
export function sessionId(): string | null {
  return sessionStorage.getItem(SESSION_KEY);
}

export function keepSessionId(id: string | null): void {
  if (id === null) sessionStorage.removeItem(SESSION_KEY);
  else sessionStorage.setItem(SESSION_KEY, id);
}
