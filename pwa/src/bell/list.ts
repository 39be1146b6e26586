/** The bells of all the resident's devices, as the relay has them. */

import { signal } from "@preact/signals";
import { getSubscriptions } from "../api/calls";
import { codeOf } from "../api/http";
import type { MySubscription } from "../wire/types";

export const devices = signal<readonly MySubscription[] | null>(null);
/** The code why they could not be read or changed. */
export const problem = signal<string | null>(null);

export async function loadDevices(): Promise<void> {
  try {
    devices.value = (await getSubscriptions()).subscriptions;
    problem.value = null;
  } catch (error) {
    problem.value = codeOf(error);
  }
}
