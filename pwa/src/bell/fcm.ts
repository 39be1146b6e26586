/**
 * A registration with FCM, by Google's own library: the only module that imports it. It is loaded by
 * `way.ts` alone, as a chunk of its own, and only where the relay has a Firebase project.
 *
 * The pushes themselves come to our own service worker, as every other push does.
 */

import { getApps, initializeApp } from "@firebase/app";
import { getMessaging, getToken, isSupported } from "@firebase/messaging";
import type { FcmWeb } from "../wire/types";

/**
 * Return this browser's token: the same one as long as its push subscription is the same and FCM keeps
 * it. Subscribes where the browser is not subscribed.
 *
 * Throws where the browser cannot, or Google does not answer or refuses.
 */
export async function fcmToken(web: FcmWeb): Promise<string> {
  if (!(await isSupported())) throw new Error("this browser cannot register with FCM");
  const app =
    getApps()[0] ??
    initializeApp({
      apiKey: web.api_key,
      appId: web.app_id,
      messagingSenderId: web.sender_id,
      projectId: web.project_id,
    });
  return getToken(getMessaging(app), {
    vapidKey: web.vapid_key,
    serviceWorkerRegistration: await navigator.serviceWorker.ready,
  });
}
