/** Wishes, kept at once: one request at a time, the newest last, taken back when it is refused. */

import { signal } from "@preact/signals";
import { putWishes } from "../api/calls";
import { problemOf } from "../api/http";
import { me, type Problem } from "../state/signals";
import type { Wishes } from "./wishes";

export type Saving = "idle" | "busy" | "saved" | Problem;
export const saving = signal<Saving>("idle");

let wanted: Wishes | null = null;
/** What the server has, while something else is on its way there. */
let kept: Wishes | null = null;

/** Show `wishes` and have them kept. */
export async function keepWishes(wishes: Wishes): Promise<void> {
  kept ??= me.value?.wishes ?? null;
  show(wishes);
  wanted = wishes;
  if (saving.value === "busy") return;
  saving.value = "busy";
  try {
    while (wanted !== null) {
      const next: Wishes = wanted;
      wanted = null;
      kept = (await putWishes(next)).wishes;
    }
    saving.value = "saved";
  } catch (error) {
    wanted = null;
    saving.value = problemOf(error);
  }
  if (kept !== null) show(kept);
  kept = null;
}

function show(wishes: Wishes): void {
  if (me.value !== null) me.value = { ...me.value, wishes };
}
