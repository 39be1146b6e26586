/** What an address brings in its fragment: a code or a voucher, used once and taken off, or a room. */

import type { Lang } from "../wire/types";

export type GivenKind = "join" | "link" | "voucher";

export interface Given {
  kind: GivenKind;
  value: string;
}

/** Read `#join=CODE`, `#link=CODE` or `#voucher=TOKEN`. Pure. */
export function readFragment(hash: string): Given | null {
  const params = new URLSearchParams(hash.replace(/^#/, ""));
  for (const kind of ["join", "link", "voucher"] as const) {
    const value = params.get(kind)?.trim();
    if (value) return { kind, value };
  }
  return null;
}

/** The room that a notification leads to, `#room=KEY`; null when none is named. Pure. */
export function readRoom(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, "")).get("room");
}

/** The language that the app was read in before, `&lang=ko`; null when none of ours is named. Pure. */
export function readLang(hash: string): Lang | null {
  const said = new URLSearchParams(hash.replace(/^#/, "")).get("lang");
  return said === "ko" || said === "en" ? said : null;
}

/** The web address that a sentence names, without the sentence's own full stop; null: none. Pure. */
export function addressIn(sentence: string): string | null {
  return /https?:\/\/[^\s"'<>]*[^\s"'<>.,;:!?)]/.exec(sentence)?.[0] ?? null;
}

/** Read the fragment and take it off the address and out of the history. */
export function takeFragment(where: Location, history: History): Given | null {
  const given = readFragment(where.hash);
  if (given !== null) history.replaceState(null, "", where.pathname + where.search);
  return given;
}
