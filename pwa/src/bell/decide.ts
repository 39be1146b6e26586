/** What the bell is, here and now, and why. Pure. */

import type { Device } from "./browser";

/** Before it ends a bell is renewed by itself at a start of the app, in case the push service lets us. */
export const RENEWED_BEFORE_MS = 14 * 24 * 3_600_000;
/** What could not be renewed by then is said. */
export const WARNED_BEFORE_MS = 7 * 24 * 3_600_000;

/** iOS and iPadOS push since 16.4. https://webkit.org/blog/13878/ */
const IOS_WITH_PUSH = { major: 16, minor: 4 } as const;

export interface Facts {
  /** The page is a secure context: https, or this very computer. */
  secure: boolean;
  /** There are service workers, a PushManager and notifications. */
  can_push: boolean;
  /** Opened from the Home Screen, or installed. */
  standalone: boolean;
  device: Device;
  /** Whether this server pushes at all; null: not known yet. */
  server_pushes: boolean | null;
  permission: NotificationPermission;
  /** Switching on is under way. */
  asking: boolean;
  /** The server keeps this browser's subscription. */
  subscribed: boolean;
  /** When the browser says that it ends, ms since 1970; null: no end is known. */
  ends_at_ms: number | null;
  /** Its push service has forgotten it since. */
  lost: boolean;
  /** What the last try to switch it on or off ended with; null: nothing went wrong. */
  failure: Failure | null;
}

/** dismissed: the question was closed. unanswered: by the push service. Else the server's code. */
export type Failure = "dismissed" | "unanswered" | { code: string };

export type Impossible =
  | "finding_out"
  | "plain_http"
  | "room_page"
  | "home_screen"
  | "ios_old"
  | "in_app"
  | "no_push";

/** Where a blocked permission can be given back; the words are in the texts, `unblock.`. */
export type Unblock =
  | "chrome"
  | "chrome_android"
  | "android_app"
  | "edge"
  | "firefox"
  | "firefox_android"
  | "safari"
  | "home_screen_app"
  | "samsung"
  | "other";

export type Bell =
  | { state: "off"; why: "never" | "lost"; failure: Failure | null }
  | { state: "asking" }
  /** `ends_at_ms`: it ends soon and should be renewed; null: it goes on. */
  | { state: "on"; ends_at_ms: number | null; failure: Failure | null }
  | { state: "blocked"; how: Unblock }
  | { state: "impossible"; why: Impossible };
export type BellState = Bell["state"];

/** Decide at `now_ms`, real time. */
export function decide(facts: Facts, now_ms: number): Bell {
  const why = impossible(facts);
  if (why !== null) return { state: "impossible", why };
  // Before "blocked" is said the resident may be answering the browser's question.
  if (facts.asking) return { state: "asking" };
  if (facts.permission === "denied") return { state: "blocked", how: unblock(facts) };
  const { failure } = facts;
  // Permission taken back: the browser has dropped the subscription, whatever the server keeps.
  if (!facts.subscribed || facts.permission !== "granted") {
    return { state: "off", why: facts.lost ? "lost" : "never", failure };
  }
  const soon = facts.ends_at_ms !== null && facts.ends_at_ms - now_ms < WARNED_BEFORE_MS;
  return { state: "on", ends_at_ms: soon ? facts.ends_at_ms : null, failure };
}

/** Whether a subscription that ends at `ends_at_ms` is to be made anew at this start of the app. */
export function wantsRenewal(ends_at_ms: number | null, now_ms: number): boolean {
  return ends_at_ms !== null && ends_at_ms - now_ms < RENEWED_BEFORE_MS;
}

function impossible(facts: Facts): Impossible | null {
  const { device } = facts;
  if (!facts.secure) return "plain_http";
  if (facts.server_pushes === false) return "room_page";
  if (!facts.can_push) {
    if (device.in_app) return "in_app";
    if (!device.apple_mobile) return "no_push";
    if (device.ios !== null && !atLeast(device.ios, IOS_WITH_PUSH)) return "ios_old";
    return facts.standalone ? "no_push" : "home_screen";
  }
  return facts.server_pushes === null ? "finding_out" : null;
}

function unblock({ device, standalone }: Facts): Unblock {
  if (device.apple_mobile) return "home_screen_app";
  if (device.android && standalone) return "android_app";
  return device.browser;
}

function atLeast(
  said: { major: number; minor: number },
  wanted: { major: number; minor: number },
): boolean {
  return said.major > wanted.major || (said.major === wanted.major && said.minor >= wanted.minor);
}
