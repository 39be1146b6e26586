/** The page's beginning. */

import { render } from "preact";
import { App } from "./app";
import "./styles/base.css";
import "./styles/room.css";
import "./styles/parts.css";
import { dismiss } from "./notices/notices";
import { watchTheReader } from "./state/live";
import { setLang, start } from "./state/session";
import { lang, tick } from "./state/signals";

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
    const tag = notificationTag(data);
    if (tag !== null) dismiss(tag);
  });
}

/** The notice whose push was tapped: its tag is the notice's id, 32 hex characters. */
function notificationTag(data: unknown): string | null {
  if (typeof data !== "object" || data === null || !("tag" in data)) return null;
  return typeof data.tag === "string" && /^[0-9a-f]{32}$/.test(data.tag) ? data.tag : null;
}
