/** The service worker: the app's shell offline, and pushes shown while the app is closed. */

/// <reference lib="webworker" />
import { cleanupOutdatedCaches, precacheAndRoute } from "workbox-precaching";
import { ownPath, readPayload } from "./push/payload";

declare const self: ServiceWorkerGlobalScope;

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();

self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  event.waitUntil(show(event.data));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification));
});

async function show(data: PushMessageData | null): Promise<void> {
  let text: string | null = null;
  try {
    text = data?.text() ?? null;
  } catch {
    // Not UTF-8: shown with the general text, like everything that cannot be read.
  }
  const { title, body, lang, tag, navigate, silent } = readPayload(text, self.location.origin);
  await self.registration.showNotification(title, {
    body,
    lang,
    tag,
    silent,
    icon: "/icons/icon-192.png",
    badge: "/icons/badge-96.png",
    data: { navigate },
  });
}

async function open(notification: Notification): Promise<void> {
  const data: unknown = notification.data;
  const said =
    typeof data === "object" && data !== null && "navigate" in data ? data.navigate : null;
  const path = ownPath(typeof said === "string" ? said : null, self.location.origin);
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const page of windows) {
    page.postMessage({ type: "notification_opened", tag: notification.tag, navigate: path });
    if ("focus" in page) {
      await page.focus();
      return;
    }
  }
  await self.clients.openWindow(path);
}
