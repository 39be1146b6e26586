/** Who of the staff is signed in here, and how what they ask of the server is tried. */

import { signal } from "@preact/signals";
import { problemOf, Refusal } from "../api/http";
import type { Problem } from "../state/signals";
import type { StaffMe } from "../wire/types";

export const staff = signal<StaffMe | null>(null);
export const busy = signal(false);
/** Why the last thing was refused. */
export const staffProblem = signal<Problem | null>(null);

/** Do what asks the server; false: it was refused, and `staffProblem` says why. */
export async function attempt(deed: () => Promise<void>): Promise<boolean> {
  busy.value = true;
  staffProblem.value = null;
  try {
    await deed();
    return true;
  } catch (error) {
    refused(error);
    staffProblem.value = problemOf(error);
    return false;
  } finally {
    busy.value = false;
  }
}

/** The same, unasked: what is not answered is tried again later, and nothing is said of it. */
export async function quietly(deed: () => Promise<void>): Promise<void> {
  if (busy.value) return;
  try {
    await deed();
  } catch (error) {
    if (refused(error)) staffProblem.value = problemOf(error);
  }
}

/** Whether the session has ended; then nobody is signed in. */
function refused(error: unknown): boolean {
  const is_out = error instanceof Refusal && error.status === 401;
  if (is_out) staff.value = null;
  return is_out;
}
