/** What the page knows. Screens read these; the files beside this one write them. */

import { computed, signal } from "@preact/signals";
import { roomNow_ms, type PageClock } from "../live/clock";
import type { ConnectionState } from "../live/following/actions";
import type { RoomState } from "../live/rooms";
import { NOTHING_MINE } from "../room/ownership";
import type { Lang, Me, Mine } from "../wire/types";
import { preferredLang, textIn, type Params, type TextKey } from "../texts/texts";

/** `away`: the server cannot be reached and nothing is known yet. `staff`: the page of the staff. */
export type Screen = "starting" | "join" | "room" | "away" | "staff";

export const screen = signal<Screen>("starting");
export const lang = signal<Lang>(preferredLang(navigator.languages));
export const me = signal<Me | null>(null);
export const connection = signal<ConnectionState>("connecting");
export const rooms = signal<ReadonlyMap<string, RoomState>>(new Map());
export const chosenRoom = signal<string | null>(null);
export const mine = signal<Mine>(NOTHING_MINE);
export const clock = signal<PageClock | null>(null);
/** A refusal: a code of the contract, and its detail. */
export interface Problem {
  code: string;
  detail: string;
}

/** Why the last code, voucher or token was refused. */
export const problem = signal<Problem | null>(null);
/** By room: the error code why it could not be fetched yet. */
export const roomProblems = signal<ReadonlyMap<string, string>>(new Map());
/** Counts seconds, so that times on the page go on. */
export const tick = signal(0);

/** Room time, ms since 1970. */
export const now_ms = computed(() => {
  void tick.value;
  return clock.value === null ? Date.now() : roomNow_ms(clock.value, performance.now());
});

/** The room on the screen: the chosen one, else the first. */
export const room = computed(() => {
  const chosen = chosenRoom.value === null ? undefined : rooms.value.get(chosenRoom.value);
  return chosen ?? rooms.value.values().next().value ?? null;
});

/** The relay's snapshots say whether the room's edge is there; the edge's own do not. */
export const atRelay = computed(() => [...rooms.value.values()].some((r) => r.edge !== null));

/** The text in the page's language. */
export function t(key: TextKey, params: Params = {}): string {
  return textIn(lang.value, key, params);
}
