/** The page over the room. It stands in the address, so the phone's own way back closes it. */

import { signal } from "@preact/signals";
import { hashOf, readPage, type PageName } from "./route";

export const page = signal<PageName | null>(readPage(location.hash));
/** How many were opened here: as many ways back lead no further than to our own room. */
let opened = 0;
let came_back = false;

export function openPage(name: PageName): void {
  if (page.value === null) {
    opened += 1;
    location.hash = hashOf(name);
  } else {
    // From one page to another: back leads to the room.
    history.replaceState(null, "", hashOf(name));
  }
  page.value = name;
}

export function closePage(): void {
  if (opened > 0) return history.back();
  history.replaceState(null, "", location.pathname + location.search);
  followAddress();
}

/** The address changed, by us or by the browser's own buttons. */
export function followAddress(): void {
  const named = readPage(location.hash);
  if (named === null && page.value !== null) {
    opened = Math.max(0, opened - 1);
    came_back = true;
  }
  page.value = named;
}

/** Whether the room was just come back to from a page; true once. */
export function cameBack(): boolean {
  const came = came_back;
  came_back = false;
  return came;
}
