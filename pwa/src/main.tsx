/** The page's beginning. */

import { render } from "preact";
import { App } from "./app";
import "./styles/base.css";
import "./styles/room.css";
import "./styles/card.css";
import "./styles/sheet.css";
import "./styles/parts.css";
import "./styles/staff.css";
import "./styles/look_up.css";
import "./styles/page.css";
import "./styles/wall.css";
import { closePage, followAddress, page } from "./pages/page";
import { isOnlyPage, readPage } from "./pages/route";
import { readRoom } from "./join/fragment";
import { dismiss } from "./notices/notices";
import { watchTheReader } from "./state/live";
import { setLang, start } from "./state/session";
import { chosenRoom, lang, screen, tick } from "./state/signals";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no #app");

setLang(lang.value);
render(<App />, root);
watchTheReader();
window.addEventListener("hashchange", () => {
  followAddress();
  // From the page of staff any address leads to the room.
  if (!isOnlyPage(location.hash) || screen.value === "staff") void start();
});
setInterval(() => (tick.value += 1), 1_000);
void start();

// Only a secure context has one; a room's own page over plain http does without.
if (import.meta.env.PROD && navigator.serviceWorker) {
  void navigator.serviceWorker.register("/sw.js").catch(() => undefined);
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (isAnswered(data)) dismiss(data.tag);
    if (!isOpened(data)) return;
    const { hash } = new URL(data.navigate, location.origin);
    chosenRoom.value = readRoom(hash) ?? chosenRoom.value;
    // To the room, unless it says otherwise: what it tells of is there.
    if (readPage(hash) === null && page.value !== null) closePage();
    // A notice's tag is its id; the general text has another.
    if (/^[0-9a-f]{32}$/.test(data.tag)) dismiss(data.tag);
  });
}

/** What src/sw.ts posts when a notification's button was tapped, and the room did it. */
function isAnswered(data: unknown): data is { tag: string } {
  if (typeof data !== "object" || data === null || !("type" in data && "tag" in data)) return false;
  return data.type === "notification_answered" && typeof data.tag === "string";
}

/** What src/sw.ts posts when a notification was tapped. */
function isOpened(data: unknown): data is { tag: string; navigate: string } {
  if (typeof data !== "object" || data === null) return false;
  if (!("tag" in data && "navigate" in data)) return false;
  return typeof data.tag === "string" && typeof data.navigate === "string";
}
