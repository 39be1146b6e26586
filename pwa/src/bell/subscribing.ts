/** This browser's push subscription, from the page: found, and made anew. */

import { deviceName } from "../join/device_name";
import { bodyOf } from "../push/subscription";
import type { FcmBody, FcmWeb, SubscriptionBody } from "../wire/types";
import { sameKey } from "./key";

/** A browser whose push service is out of reach lets subscribe() hang for ever, and so may Google. */
const SUBSCRIBE_TIMEOUT_MS = 10_000;

export async function currentSubscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? null;
}

export function holdsKey(subscription: PushSubscription, key: Uint8Array): boolean {
  return sameKey(subscription.options.applicationServerKey, key);
}

/** When the browser says that it ends, ms since 1970; null: no end is known. */
export function endOf(subscription: PushSubscription | null): number | null {
  return subscription?.expirationTime ?? null;
}

/** Subscribe anew with the server's key; `replaces`: the endpoint that was before, null when none was. */
export async function subscribe(
  key: Uint8Array<ArrayBuffer>,
): Promise<{ subscription: PushSubscription; replaces: string | null }> {
  return inTime(
    (async () => {
      const { pushManager } = await navigator.serviceWorker.ready;
      const old = await pushManager.getSubscription();
      // The same again would be the one that is dead, ends, or has another server's key.
      await old?.unsubscribe();
      const options = { userVisibleOnly: true, applicationServerKey: key };
      return { subscription: await pushManager.subscribe(options), replaces: old?.endpoint ?? null };
    })(),
  );
}

/** What the server is told of it. */
export function toBody(subscription: PushSubscription, replaces: string | null): SubscriptionBody {
  return bodyOf(subscription, ownName(), replaces);
}

/** Google's library is not where this page looks for it: the server was updated since, or is away. */
export class NotLoaded extends Error {}

/** Register with FCM; `anew`: whatever the browser is subscribed to, it gets another token. */
export async function registerWithFcm(fcm: FcmWeb, { anew }: { anew: boolean }): Promise<FcmBody> {
  return inTime(
    (async () => {
      // Before anything is given up: Google's library may not load.
      const { fcmToken } = await import("./fcm").catch((cause: unknown) => {
        throw new NotLoaded("the library did not load", { cause });
      });
      if (anew) await (await currentSubscription())?.unsubscribe();
      return { token: await fcmToken(fcm), name: ownName() };
    })(),
  );
}

function ownName(): string {
  return deviceName(navigator.userAgent, navigator.maxTouchPoints);
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
