/** The bell: this device's push subscription, at the relay. What it is, decide.ts decides; whose, way.ts. */

import { computed, signal } from "@preact/signals";
import { deleteSubscription, getPushKey, putFcm, putSubscription } from "../api/calls";
import { codeOf, Refusal } from "../api/http";
import { deviceOf } from "./browser";
import { decide, wantsRenewal, type Facts } from "./decide";
import {
  currentSubscription,
  endOf,
  holdsKey,
  NotLoaded,
  registerWithFcm,
  subscribe,
  toBody,
} from "./subscribing";
import { toBytes } from "./key";
import { fcmFor } from "./way";
import type { FcmWeb } from "../wire/types";

const KEY_RETRY_MS = 30_000;
const FCM_FAILED_AT = "laundryd.fcm_failed_at";

const facts = signal<Facts>({
  secure: window.isSecureContext,
  can_push: canPush(),
  standalone: isStandalone(),
  device: deviceOf(navigator.userAgent, navigator.maxTouchPoints),
  server_pushes: null,
  permission: "Notification" in window ? Notification.permission : "default",
  asking: false,
  subscribed: false,
  ends_at_ms: null,
  lost: false,
  failure: null,
});
export const bell = computed(() => decide(facts.value, Date.now()));

let key: Uint8Array<ArrayBuffer> | null = null;
/** The relay's Firebase project; null: it has none. */
let project: FcmWeb | null = null;

function learn(more: Partial<Facts>): void {
  facts.value = { ...facts.value, ...more };
}

/** What the server says of this device. */
export interface AtServer {
  /** It pushes at all; a room's own page does not. */
  pushes: boolean;
  /** It has a subscription of this device. */
  held: boolean;
  /** It had one that its push service has forgotten. */
  lost: boolean;
}

/**
 * Find out how things stand, and send a subscription that is there again: push services change their
 * minds, and iOS does not say so.
 */
export async function startBell({ pushes, held, lost }: AtServer): Promise<void> {
  if (!pushes || !facts.value.secure || !facts.value.can_push) {
    learn({ server_pushes: pushes, lost });
    return;
  }
  learn({ lost });
  try {
    const offered = await getPushKey();
    key = toBytes(offered.key);
    project = offered.fcm;
  } catch (error) {
    if (error instanceof Refusal) learn({ server_pushes: false });
    else setTimeout(() => void startBell({ pushes, held, lost }), KEY_RETRY_MS);
    return;
  }
  const subscription = await currentSubscription();
  const fcm = ownFcm();
  const keys = project === null ? [key] : [key, toBytes(project.vapid_key)];
  const is_ours = subscription !== null && keys.some((one) => holdsKey(subscription, one));
  // On already, until the contrary is known: what the page shows does not flicker at each start.
  learn({ server_pushes: true, subscribed: is_ours, ends_at_ms: endOf(subscription) });
  void watchPermission();
  if (facts.value.permission !== "granted") return;
  const is_right =
    subscription !== null && holdsKey(subscription, fcm === null ? key : toBytes(fcm.vapid_key));
  if (is_right && !wantsRenewal(endOf(subscription), Date.now())) await sendAgain(subscription, fcm);
  else if (subscription !== null || held || lost) await renew();
}

/** A server that is away for a moment has the one of the last start; one that refuses has none. */
async function sendAgain(subscription: PushSubscription, fcm: FcmWeb | null): Promise<void> {
  try {
    if (fcm === null) await putSubscription(toBody(subscription, null));
    else await putFcm(await registerWithFcm(fcm, { anew: false }));
    learn({ lost: false });
  } catch (error) {
    if (!(error instanceof Refusal) || error.status >= 500) return;
    if (error.code === "subscription_dead") {
      learn({ subscribed: false, lost: true });
      await renew();
    } else if (error.code === "subscription_removed") {
      // As the resident wished, on another device of theirs.
      await subscription.unsubscribe();
      learn({ subscribed: false, lost: false });
    } else learn({ subscribed: false, failure: { code: error.code } });
  }
}

/** Make it anew without asking: what was allowed still is. Where that fails the resident is asked. */
export async function renew(): Promise<void> {
  await subscribeAnew().catch((error: unknown) => {
    learn({ failure: error instanceof Refusal ? { code: codeOf(error) } : "unanswered" });
  });
}

/** Ask for permission, subscribe, tell the server. Must come from a tap the first time. */
export async function switchOn(): Promise<void> {
  if (key === null || facts.value.asking) return;
  learn({ asking: true, failure: null });
  try {
    const permission = await Notification.requestPermission();
    learn({ permission });
    if (permission === "granted") await subscribeAnew();
    else if (permission === "default") learn({ failure: "dismissed" });
  } catch (error) {
    const failure = error instanceof Refusal ? { code: error.code } : "unanswered";
    learn({ subscribed: false, failure });
  } finally {
    learn({ asking: false });
  }
}

/** Off for this device: at the server first, so that a lost answer leaves nothing ringing there. */
export async function switchOff(): Promise<void> {
  learn({ failure: null });
  const subscription = await currentSubscription();
  try {
    await deleteSubscription();
    await subscription?.unsubscribe();
    learn({ subscribed: false, lost: false, ends_at_ms: null });
  } catch (error) {
    learn({ failure: { code: codeOf(error) } });
  }
}

/** The server says that this device's push service has forgotten it. */
export function lostHere(): void {
  learn({ subscribed: false, lost: true });
}

async function subscribeAnew(): Promise<void> {
  if (key === null) return;
  const fcm = ownFcm();
  let has_failed = false;
  if (fcm !== null) {
    const registration = await registerWithFcm(fcm, { anew: true }).catch((error: unknown) => {
      has_failed = !(error instanceof NotLoaded);
      return null;
    });
    if (registration !== null) {
      await putFcm(registration);
      learn({ subscribed: true, lost: false, failure: null, ends_at_ms: null });
      return;
    }
  }
  const { subscription, replaces } = await subscribe(key);
  await putSubscription(toBody(subscription, replaces));
  learn({ subscribed: true, lost: false, failure: null, ends_at_ms: endOf(subscription) });
  // Where both fail nothing is known of FCM: there is no network.
  if (has_failed) localStorage.setItem(FCM_FAILED_AT, String(Date.now()));
}

/** The project that this device registers with; null: it has Web Push. */
function ownFcm(): FcmWeb | null {
  const failed_at = Number(localStorage.getItem(FCM_FAILED_AT) ?? Number.NaN);
  const { android } = facts.value.device;
  const failed_at_ms = Number.isFinite(failed_at) ? failed_at : null;
  return fcmFor({ fcm: project, android, failed_at_ms }, Date.now());
}

/** A permission that is given back in the settings is noticed without a reload. */
async function watchPermission(): Promise<void> {
  try {
    const status = await navigator.permissions.query({ name: "notifications" });
    status.onchange = () => learn({ permission: Notification.permission });
  } catch {
    // Older browsers cannot be asked: the next start sees it.
  }
}

function canPush(): boolean {
  return "PushManager" in window && "Notification" in window && Boolean(navigator.serviceWorker);
}

function isStandalone(): boolean {
  // iOS has a word of its own for it.
  const apples = (navigator as Navigator & { standalone?: boolean }).standalone === true;
  return apples || matchMedia("(display-mode: standalone)").matches;
}
