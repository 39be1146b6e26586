/** How staff comes in and goes, and the announcement that they write. */

import { signal } from "@preact/signals";
import type { Announcement } from "../wire/types";
import { announce, cancel, getAnnouncements, getStaff, rewrite, signIn, signOut } from "./calls";
import { bodyOf, draftOf, emptyDraft, isWhole, type Draft } from "./draft";
import { followPlace, forgetResidents, lookAgain, place } from "./looking";
import { attempt, busy, quietly, staff, staffProblem } from "./signed_in";
import { hashOfPlace, readPlace, readSecret } from "./views";

/** Until the server has said who is signed in. */
export const asking = signal(true);
export const announcements = signal<readonly Announcement[]>([]);
export const draft = signal<Draft>(emptyDraft());
/** The announcement in whose place the draft goes; null: a new one. */
export const editing = signal<string | null>(null);

/**
 * Sign in with the link's secret, which is taken off the address, or go on as who is signed in; to the
 * page that the address names.
 */
export async function startStaff(where: Location, history: History): Promise<void> {
  const secret = readSecret(where.hash);
  if (secret !== "") {
    const hash = hashOfPlace(readPlace(where.hash));
    history.replaceState(null, "", `${where.pathname}${where.search}${hash}`);
  } else if (staff.value !== null) return followPlace(where.hash);
  asking.value = true;
  const is_in = await attempt(async () => {
    staff.value = secret === "" ? await getStaff() : await signIn(secret);
    await reload();
  });
  asking.value = false;
  if (is_in) await followPlace(where.hash);
}

export async function reload(): Promise<void> {
  announcements.value = (await getAnnouncements()).announcements;
}

/** Look again, quietly: what was refused stays on the page. */
export const refresh = () => (place.value.view === "told" ? lookAgain() : quietly(reload));

export async function send(): Promise<void> {
  if (!isWhole(draft.value) || busy.value) return;
  const body = bodyOf(draft.value, Intl.DateTimeFormat().resolvedOptions().timeZone);
  const sent = await attempt(async () => {
    if (editing.value === null) await announce(body);
    else await rewrite(editing.value, body);
    await reload();
  });
  if (sent) stopEditing();
}

export const takeBack = (id: string) =>
  attempt(async () => {
    await cancel(id);
    if (editing.value === id) stopEditing();
    await reload();
  });

export function edit(one: Announcement): void {
  staffProblem.value = null;
  draft.value = draftOf(one);
  editing.value = one.id;
}

export function stopEditing(): void {
  draft.value = emptyDraft();
  editing.value = null;
}

export const leaveStaff = () =>
  attempt(async () => {
    await signOut();
    staff.value = null;
    announcements.value = [];
    forgetResidents();
  });
