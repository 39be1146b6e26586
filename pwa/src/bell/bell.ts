/** The bell: this device's push subscription, at the relay. */

import { signal } from "@preact/signals";
import { deleteSubscription, getPushKey, putSubscription } from "../api/calls";
import { Refusal } from "../api/http";
import type { SubscriptionBody } from "../wire/types";
import { sameKey, toBase64url, toBytes } from "./key";

/** `impossible`: no service worker or push here, or a server that sends none (a room's own page). */
export type BellState = "off" | "asking" | "on" | "blocked" | "impossible";

/** A browser whose push service is out of reach lets subscribe() hang for ever. */
const SUBSCRIBE_TIMEOUT_MS = 10_000;

export const bell = signal<BellState>("impossible");
/** The last try to switch it on failed, and not because of the resident. */
export const bellFailed = signal(false);

let key: Uint8Array<ArrayBuffer> | null = null;

/**
 * Find out how things stand, and send a subscription that is there again: push services change their
 * minds, and iOS does not say so. `held`: the server has one of this device.
 */
export async function startBell(held: boolean): Promise<void> {
  if (!window.isSecureContext || !("PushManager" in window) || !navigator.serviceWorker) return;
  try {
    key = toBytes((await getPushKey()).key);
  } catch (error) {
    if (!(error instanceof Refusal)) setTimeout(() => void startBell(held), 30_000);
    return;
  }
  if (Notification.permission === "denied") {
    bell.value = "blocked";
    return;
  }
  bell.value = "off";
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  if (subscription && sameKey(subscription.options.applicationServerKey, key)) {
    bell.value = "on";
    await putSubscription(bodyOf(subscription)).catch(notKept);
  } else if (subscription || (held && Notification.permission === "granted")) {
    await switchOn();
  }
}

/** A server that is away for a moment has the one of the last start; one that refuses has none. */
function notKept(error: unknown): void {
  if (!(error instanceof Refusal) || error.status >= 500) return;
  bell.value = "off";
  bellFailed.value = true;
}

/** Ask for permission, subscribe, tell the server. Must come from a tap the first time. */
export async function switchOn(): Promise<void> {
  if (key === null || bell.value === "asking") return;
  bell.value = "asking";
  bellFailed.value = false;
  try {
    const permission = await Notification.requestPermission();
    if (permission !== "granted") {
      bell.value = permission === "denied" ? "blocked" : "off";
      return;
    }
    const subscription = await inTime(subscribe(key));
    await putSubscription(bodyOf(subscription));
    bell.value = "on";
  } catch {
    bell.value = "off";
    bellFailed.value = true;
  }
}

/** Off for this device: at the server first, so that a lost answer leaves nothing ringing there. */
export async function switchOff(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  try {
    await deleteSubscription();
    await subscription?.unsubscribe();
    bell.value = "off";
  } catch {
    bellFailed.value = true;
  }
}

async function subscribe(serverKey: Uint8Array<ArrayBuffer>): Promise<PushSubscription> {
  const { pushManager } = await navigator.serviceWorker.ready;
  const old = await pushManager.getSubscription();
  // Under another key this server's pushes would be refused.
  if (old && !sameKey(old.options.applicationServerKey, serverKey)) await old.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: serverKey });
}

/** What the server wants of a subscription, and nothing that a newer browser may add. */
function bodyOf(subscription: PushSubscription): SubscriptionBody {
  const { endpoint = "", expirationTime = null, keys = {} } = subscription.toJSON();
  const { p256dh = "", auth = "" } = keys;
  const held = subscription.options.applicationServerKey;
  return {
    endpoint,
    expirationTime,
    keys: { p256dh, auth },
    application_server_key: held === null ? null : toBase64url(held),
  };
}

function inTime<Value>(promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error("the push service did not answer")),
      SUBSCRIBE_TIMEOUT_MS,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
