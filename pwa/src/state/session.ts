/** The way in: code or voucher, who am I, my rooms, the live connection. */

import { getMe, joinWithCode, joinWithVoucher, linkDevice, putLang } from "../api/calls";
import { problemOf, Refusal, refusedBy } from "../api/http";
import { startBell } from "../bell/bell";
import { deviceName } from "../join/device_name";
import { readLang, readRoom, takeFragment, type Given } from "../join/fragment";
import { askedWait_s } from "../live/following/link";
import { renewVouchers } from "../menu/vouchers";
import { closeOver } from "../notices/over";
import { startStaff } from "../staff/staff";
import { isStaffAddress } from "../staff/views";
import type { Lang } from "../wire/types";
import { forget, leave, startLive } from "./live";
import { chosenRoom, lang, me, problem, screen } from "./signals";

const AWAY_RETRY_MS = 5_000;
/** A refused code does not concern who is in already for long. */
const PROBLEM_SHOWN_MS = 15_000;
/** The room knows nobody yet, and will in a moment: its relay tells it. */
const AWAITED = "roster_awaited";
let retry: number | undefined;
/** How long the last refusal asked us to stay away, seconds. */
let asked_s = 0;
/** What to do when it is time to try again, or the resident says so. */
let next: () => Promise<void> = enter;

/** Begin, or begin again after the address was given a code. */
export async function start(): Promise<void> {
  if (isStaffAddress(location.hash)) {
    screen.value = "staff";
    return startStaff(location, history);
  }
  chosenRoom.value = readRoom(location.hash) ?? chosenRoom.value;
  setLang(readLang(location.hash) ?? lang.value);
  await comeIn(takeFragment(location, history));
}

/** Go in, with what was given, if anything: it waits for a room that cannot judge it yet. */
async function comeIn(given: Given | null): Promise<void> {
  if (given !== null && !(await exchange(given))) {
    if (me.value !== null) return;
    if (isAwaited()) return comeAgain(() => comeIn(given));
  }
  await enter();
}

/** The room cannot say yet whether we may come in. */
export function isAwaited(): boolean {
  return problem.value?.code === AWAITED;
}

function comeAgain(again: () => Promise<void>): void {
  if (screen.value !== "room") screen.value = "away";
  clearTimeout(retry);
  next = again;
  retry = window.setTimeout(tryAgain, AWAY_RETRY_MS + asked_s * 1_000);
}

/** Try now, with what was given. */
export function tryAgain(): void {
  clearTimeout(retry);
  void next();
}

/** Exchange what was given for a token; false: refused, and `problem` says why. */
export async function exchange(given: Given): Promise<boolean> {
  problem.value = null;
  try {
    const name = deviceName(navigator.userAgent, navigator.maxTouchPoints);
    if (given.kind === "join") await joinWithCode(given.value, name, lang.value);
    else if (given.kind === "link") await linkDevice(given.value, name, lang.value);
    else await joinWithVoucher(given.value, name, lang.value);
    forget();
    return true;
  } catch (error) {
    problem.value = problemOf(error);
    asked_s = askedBy(error);
    return false;
  }
}

/** Ask who we are and go in; without a token to the join screen. */
export async function enter(): Promise<void> {
  clearTimeout(retry);
  if (isAwaited()) problem.value = null;
  try {
    me.value = await getMe();
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) {
      // At the first visit there is nothing to complain about.
      const told = problem.value ?? (screen.value === "room" ? error : null);
      if (told === null) screen.value = "join";
      else leave(told.code, told.detail);
      return;
    }
    const told = problemOf(error);
    if (told.code === AWAITED) problem.value = told;
    asked_s = askedBy(error);
    comeAgain(enter);
    return;
  }
  if (me.value.rooms.length === 0) {
    screen.value = "join";
    return;
  }
  setLang(me.value.lang);
  const { push, push_lost_at, wishes, rooms } = me.value;
  await startLive();
  if (me.value === null) return; // Refused meanwhile, and out again.
  screen.value = "room";
  if (problem.value !== null) setTimeout(() => (problem.value = null), PROBLEM_SHOWN_MS);
  void startBell({ pushes: wishes !== null, held: push, lost: push_lost_at !== null });
  void renewVouchers(rooms);
  void closeOver();
}

function askedBy(error: unknown): number {
  const { status, retry_after_s } = refusedBy(error);
  return askedWait_s(status, retry_after_s);
}

/** Change the page's language, and the resident's: notices are told in it. */
export async function chooseLang(chosen: Lang): Promise<void> {
  setLang(chosen);
  if (me.value === null) return;
  me.value = { ...me.value, lang: chosen };
  await putLang(chosen).catch(() => undefined); // The page has it; the server at the next choice.
}

export function setLang(chosen: Lang): void {
  lang.value = chosen;
  document.documentElement.lang = chosen;
}
