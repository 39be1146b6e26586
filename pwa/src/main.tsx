/** The page's beginning. */

import { render } from "preact";
import { App } from "./app";
import "./styles/base.css";
import "./styles/room.css";
import "./styles/card.css";
import "./styles/sheet.css";
import "./styles/parts.css";
import "./styles/staff.css";
import "./styles/wall.css";
import { readRoom } from "./join/fragment";
import { dismiss } from "./notices/notices";
import { watchTheReader } from "./state/live";
import { setLang, start } from "./state/session";
import { chosenRoom, lang, tick } from "./state/signals";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no #app");

setLang(lang.value);
render(<App />, root);
watchTheReader();
window.addEventListener("hashchange", () => void start());
setInterval(() => (tick.value += 1), 1_000);
void start();

// Only a secure context has one; a room's own page over plain http does without.
if (import.meta.env.PROD && navigator.serviceWorker) {
  void navigator.serviceWorker.register("/sw.js").catch(() => undefined);
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (!isOpened(data)) return;
    chosenRoom.value = readRoom(new URL(data.navigate, location.origin).hash) ?? chosenRoom.value;
    // A notice's tag is its id; the general text has another.
    if (/^[0-9a-f]{32}$/.test(data.tag)) dismiss(data.tag);
  });
}

/** What src/sw.ts posts when a notification was tapped. */
function isOpened(data: unknown): data is { tag: string; navigate: string } {
  if (typeof data !== "object" || data === null) return false;
  if (!("tag" in data && "navigate" in data)) return false;
  return typeof data.tag === "string" && typeof data.navigate === "string";
}
