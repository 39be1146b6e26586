/** Why a resident was not told: who was found, who is chosen, and what is known of them. */

import { computed, signal } from "@preact/signals";
import type { MyNotice, MySubscription, StaffResidents } from "../wire/types";
import { findResidents, getNoticesOf, getSubscriptionsOf } from "./calls";
import { attempt, quietly } from "./signed_in";
import { hashOfPlace, readPlace, type StaffPlace } from "./views";

export interface LookedUp {
  resident: string;
  /** Newest first, of the last 30 days. */
  notices: readonly MyNotice[];
  bells: readonly MySubscription[];
}

export const place = signal<StaffPlace>(readPlace(location.hash));
export const sought = signal("");
/** The room to look in; `""`: all. */
export const inRoom = signal("");
export const found = signal<StaffResidents | null>(null);
const known = signal<LookedUp | null>(null);
/** What is known of who is chosen; null: not yet. */
export const lookedUp = computed(() =>
  known.value?.resident === place.value.resident ? known.value : null,
);

/** The address changed: show what it names. */
export async function followPlace(hash: string): Promise<void> {
  place.value = readPlace(hash);
  const { view, resident } = place.value;
  if (view !== "told") return;
  await attempt(async () => {
    if (found.value === null) await find();
    if (resident !== null) await lookUp(resident);
  });
}

/** Look for what was typed; whoever is the only one it fits is chosen. */
export const search = () =>
  attempt(async () => {
    await find();
    const [only, ...others] = found.value?.residents ?? [];
    if (only !== undefined && others.length === 0 && sought.value.trim() !== "") {
      location.hash = hashOfPlace({ view: "told", resident: only.resident });
    }
  });

/** Look again at who is chosen. */
export const lookAgain = () =>
  quietly(async () => {
    const { view, resident } = place.value;
    if (view === "told" && resident !== null) await lookUp(resident);
  });

export function forgetResidents(): void {
  found.value = null;
  known.value = null;
  sought.value = inRoom.value = "";
}

async function find(): Promise<void> {
  found.value = await findResidents(sought.value.trim(), inRoom.value);
}

async function lookUp(resident: string): Promise<void> {
  const [{ notices }, { subscriptions }] = await Promise.all([
    getNoticesOf(resident),
    getSubscriptionsOf(resident),
  ]);
  known.value = { resident, notices, bells: subscriptions };
}
