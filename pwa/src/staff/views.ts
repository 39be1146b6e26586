/** Which of the staff's pages the address names: `#staff`, `#staff&view=told&resident=NUMBER`. Pure. */

export type StaffView = "announce" | "told";

export interface StaffPlace {
  view: StaffView;
  /** Whose notices are looked up; null: nobody is chosen. */
  resident: string | null;
}

/** The page of staff: `#staff`, or `#staff=SECRET` from a sign-in link. */
export function isStaffAddress(hash: string): boolean {
  return paramsOf(hash).has("staff");
}

/** The secret of a sign-in link; empty: it is none. */
export function readSecret(hash: string): string {
  return paramsOf(hash).get("staff") ?? "";
}

export function readPlace(hash: string): StaffPlace {
  const said = paramsOf(hash);
  if (said.get("view") !== "told") return { view: "announce", resident: null };
  return { view: "told", resident: said.get("resident") || null };
}

export function hashOfPlace({ view, resident }: StaffPlace): string {
  if (view === "announce") return "#staff";
  return `#staff&view=told${resident === null ? "" : `&resident=${encodeURIComponent(resident)}`}`;
}

function paramsOf(hash: string): URLSearchParams {
  return new URLSearchParams(hash.replace(/^#/, ""));
}
