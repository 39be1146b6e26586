/** What staff's page knows, and how it comes in. */

import { signal } from "@preact/signals";
import { problemOf, Refusal } from "../api/http";
import type { Problem } from "../state/signals";
import type { Announcement, StaffMe } from "../wire/types";
import { announce, cancel, getAnnouncements, getStaff, rewrite, signIn, signOut } from "./calls";
import { bodyOf, draftOf, emptyDraft, isWhole, type Draft } from "./draft";

export const staff = signal<StaffMe | null>(null);
/** Until the server has said who is signed in. */
export const asking = signal(true);
export const announcements = signal<readonly Announcement[]>([]);
export const draft = signal<Draft>(emptyDraft());
/** The announcement in whose place the draft goes; null: a new one. */
export const editing = signal<string | null>(null);
export const busy = signal(false);
export const staffProblem = signal<Problem | null>(null);

/** The page of staff: `#staff`, or `#staff=SECRET` from a sign-in link. Pure. */
export function isStaffAddress(hash: string): boolean {
  return new URLSearchParams(hash.replace(/^#/, "")).has("staff");
}

/** Sign in with the link's secret, which is taken off the address, or go on as who is signed in. */
export async function startStaff(where: Location, history: History): Promise<void> {
  const secret = new URLSearchParams(where.hash.replace(/^#/, "")).get("staff") ?? "";
  if (secret !== "") history.replaceState(null, "", `${where.pathname}${where.search}#staff`);
  asking.value = true;
  await attempt(async () => {
    staff.value = secret === "" ? await getStaff() : await signIn(secret);
    await reload();
  });
  asking.value = false;
}

export async function reload(): Promise<void> {
  announcements.value = (await getAnnouncements()).announcements;
}

/** Look again, quietly: what was refused stays on the page, and what is not answered is asked again. */
export async function refresh(): Promise<void> {
  if (busy.value) return;
  try {
    await reload();
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) {
      staff.value = null;
      staffProblem.value = problemOf(error);
    }
  }
}

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
  });

/** Do what asks the server; false: it was refused, and `staffProblem` says why. */
async function attempt(deed: () => Promise<void>): Promise<boolean> {
  busy.value = true;
  staffProblem.value = null;
  try {
    await deed();
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) staff.value = null;
    staffProblem.value = problemOf(error);
    return false;
  } finally {
    busy.value = false;
  }
}
