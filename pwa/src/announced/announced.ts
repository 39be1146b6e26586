/** What staff announces in each room, as the server says it. */

import { signal } from "@preact/signals";
import type { ShownAnnouncement, ShownInRoom } from "../wire/types";

export const announced = signal<ReadonlyMap<string, readonly ShownAnnouncement[]>>(new Map());

export function roomShows(frame: ShownInRoom): void {
  announced.value = new Map(announced.value).set(frame.room, frame.shown);
}

/** A new connection: what is shown follows, if anything is. */
export function nothingAnnounced(): void {
  announced.value = new Map();
}
