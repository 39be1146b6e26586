/** The service worker: the app's shell offline, pushes shown while the app is closed, and their buttons. */

/// <reference lib="webworker" />
import { cleanupOutdatedCaches, precacheAndRoute } from "workbox-precaching";
import { sameKey, toBytes } from "./bell/key";
import { deviceName } from "./join/device_name";
import { refusedWords, wishOf, type Wish } from "./push/answering";
import { ownPath, readPayload } from "./push/payload";
import { bodyOf } from "./push/subscription";

declare const self: ServiceWorkerGlobalScope;

/** Longer than the relay gives a room to answer. */
const ANSWER_TIMEOUT_MS = 20_000;
const LOOKS = { icon: "/icons/icon-192.png", badge: "/icons/badge-96.png" } as const;

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();

self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  event.waitUntil(show(event.data));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const wish = wishOf(event.action, event.notification.data);
  event.waitUntil(wish === null ? open(event.notification) : answer(event.notification, wish));
});

self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(renew(event as PushSubscriptionChange));
});

async function show(data: PushMessageData | null): Promise<void> {
  let text: string | null = null;
  try {
    text = data?.text() ?? null;
  } catch {
    // Not UTF-8: shown with the general text, like everything that cannot be read.
  }
  const shown = readPayload(text, self.location.origin);
  const { title, body, lang, tag, navigate, silent, actions, about } = shown;
  // `actions` is not in every browser, nor in TypeScript's own description of it.
  const options: NotificationOptions & { actions?: readonly { action: string; title: string }[] } = {
    ...LOOKS,
    body,
    lang,
    tag,
    silent,
    actions,
    data: { navigate, ...about },
  };
  await self.registration.showNotification(title, options);
}

async function open(notification: Notification): Promise<void> {
  const data: unknown = notification.data;
  const said =
    typeof data === "object" && data !== null && "navigate" in data ? data.navigate : null;
  const path = ownPath(typeof said === "string" ? said : null, self.location.origin);
  for (const page of await pages()) {
    if (!(await focused(page))) continue;
    page.postMessage({ type: "notification_opened", tag: notification.tag, navigate: path });
    return;
  }
  await self.clients.openWindow(path);
}

/** A page that is just going away, or is kept for the way back, cannot come to the front. */
async function focused(page: WindowClient): Promise<boolean> {
  try {
    return (await page.focus()) !== null;
  } catch {
    return false;
  }
}

/** Say to the room what the button says. Done: it leaves the pages; refused: shown again, with why. */
async function answer(notification: Notification, wish: Wish): Promise<void> {
  const { title, lang, tag, data } = notification;
  const code = await send(wish);
  if (code === null) {
    for (const page of await pages()) page.postMessage({ type: "notification_answered", tag });
    return;
  }
  const body = refusedWords(lang, code);
  await self.registration.showNotification(title, { ...LOOKS, body, lang, tag, data });
}

/** The code of the refusal, "unreachable", or null when it was done. */
async function send(wish: Wish): Promise<string | null> {
  try {
    const response = await ask("POST", wish.path, wish.body);
    if (response.ok) return null;
    const problem: unknown = await response.json();
    const is_problem = typeof problem === "object" && problem !== null && "code" in problem;
    return is_problem ? String(problem.code) : "internal";
  } catch {
    return "unreachable";
  }
}

/** What the browser hands over, where it hands it over at all. */
interface PushSubscriptionChange extends ExtendableEvent {
  readonly newSubscription?: PushSubscription | null;
  readonly oldSubscription?: PushSubscription | null;
}

/**
 * The browser has changed the subscription, or taken it away: the relay gets the next one, by Web Push.
 * One that was FCM's is registered with it again when the app starts: Google's library is not loaded here.
 */
async function renew({ newSubscription, oldSubscription }: PushSubscriptionChange): Promise<void> {
  const subscription = await ownSubscription(newSubscription ?? null);
  const name = deviceName(navigator.userAgent);
  const body = bodyOf(subscription, name, oldSubscription?.endpoint ?? null);
  await ask("PUT", "/api/v1/push/subscriptions", body);
}

/** One that the relay can push to itself: the browser's new one, unless it was made with another key. */
async function ownSubscription(offered: PushSubscription | null): Promise<PushSubscription> {
  const { pushManager } = self.registration;
  const key = toBytes(((await (await fetch("/api/v1/push/key")).json()) as { key: string }).key);
  const found = offered ?? (await pushManager.getSubscription());
  if (found !== null && sameKey(found.options.applicationServerKey, key)) return found;
  await found?.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

function ask(method: "POST" | "PUT", path: string, body: unknown): Promise<Response> {
  return fetch(path, {
    method,
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
}

function pages(): Promise<readonly WindowClient[]> {
  return self.clients.matchAll({ type: "window", includeUncontrolled: true });
}
