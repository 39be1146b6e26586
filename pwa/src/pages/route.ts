/** Which page the address names, `#page=notices`; none: the room. Pure. */

const PAGES = ["notices", "wishes", "bell"] as const;
export type PageName = (typeof PAGES)[number];

export function readPage(hash: string): PageName | null {
  const said = new URLSearchParams(hash.replace(/^#/, "")).get("page");
  return PAGES.find((name) => name === said) ?? null;
}

export function hashOf(name: PageName): string {
  return `#page=${name}`;
}

/** Whether an address says nothing but a page, or nothing: then nobody comes in anew. */
export function isOnlyPage(hash: string): boolean {
  return [...new URLSearchParams(hash.replace(/^#/, "")).keys()].every((key) => key === "page");
}
