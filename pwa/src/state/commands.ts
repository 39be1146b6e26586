/** Commands under way: sent once by the socket or by HTTP, under one id, with one answer. */

import { signal } from "@preact/signals";
import { sendCommand } from "../api/calls";
import { codeOf, Refusal } from "../api/http";
import { newId } from "../live/ids";
import { sendLive } from "../live/outbox";
import type { CommandAnswer, CommandName, CommandParams, MachineKind, Result } from "../wire/types";
import { connection, now_ms, rooms } from "./signals";

/** An answer that is not here by now was lost: ask again by HTTP under the same id. */
const RESULT_TIMEOUT_MS = 12_000;

/** Why a tap did nothing, or what it did, matters right after it; later it only puzzles. */
export const ANSWER_SHOWN_MS = 15_000;

/** A refusal in the resident's words is made from these. */
export interface Refused {
  name: CommandName;
  /** The contract's code, or "unreachable". */
  code: string;
  /** Room time, ms since 1970, from which on it may be said again; null: the server did not say. */
  retry_at_ms: number | null;
}

/** By place: the command that is under way. */
export const underWay = signal<ReadonlyMap<string, CommandName>>(new Map());
/** By place: the last refusal. */
export const refusals = signal<ReadonlyMap<string, Refused>>(new Map());
/** By place: the last command that was accepted. */
export const accepted = signal<ReadonlyMap<string, CommandName>>(new Map());

/** What an open command waits for: its result, or null for "ask by HTTP". */
const open = new Map<string, (result: Result | null) => void>();
/** Counts answers, so that an old one's timer does not take off a newer one. */
let answers = 0;
const latest = new Map<string, number>();

/** Where a command's answer is shown: on a machine's card. */
export function place(room: string, machine: string): string {
  return `${room}/${machine}`;
}

/** Where the answer to a command about every machine of a kind is shown. */
export function kindPlace(room: string, kind: MachineKind): string {
  return `${room}/kind/${kind}`;
}

/** Where the answer to a notice's button is shown. */
export function noticePlace(id: string): string {
  return `notice/${id}`;
}

/**
 * Send a command; one a place at a time. True: it was accepted. What came of it is seen in the signals
 * above, too.
 */
export async function command(
  room: string,
  machine: string,
  name: CommandName,
  params: CommandParams = {},
  at: string = place(room, machine),
): Promise<boolean> {
  if (underWay.value.has(at)) return false;
  underWay.value = new Map(underWay.value).set(at, name);
  forgetAnswer(at);
  const refused = await outcome(room, machine, name, params);
  underWay.value = without(underWay.value, at);
  if (refused === null) accepted.value = new Map(accepted.value).set(at, name);
  else refusals.value = new Map(refusals.value).set(at, refused);
  const number = (answers += 1);
  latest.set(at, number);
  setTimeout(() => latest.get(at) === number && forgetAnswer(at), ANSWER_SHOWN_MS);
  return refused === null;
}

/** The socket's answer to a command. */
export function settle(result: Result): void {
  open.get(result.id)?.(result);
}

/** The socket is gone; what waits for it asks by HTTP: the id makes that safe. */
export function lostConnection(): void {
  for (const resolve of [...open.values()]) resolve(null);
}

/** The machine changed: why it refused does not matter any more. */
export function forgetRefusal(room: string, machine: string): void {
  refusals.value = without(refusals.value, place(room, machine));
}

function forgetAnswer(at: string): void {
  refusals.value = without(refusals.value, at);
  accepted.value = without(accepted.value, at);
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  if (!map.has(key)) return map;
  const next = new Map(map);
  next.delete(key);
  return next;
}

/** Why it was refused, or null when it was accepted. */
async function outcome(
  room: string,
  machine: string,
  name: CommandName,
  params: CommandParams,
): Promise<Refused | null> {
  const id = newId();
  if (
    connection.value === "live" &&
    sendLive({ type: "command", id, room, machine, name, params })
  ) {
    const result = await answer(id);
    if (result !== null) return judged(room, name, result);
  }
  try {
    return judged(room, name, await sendCommand(room, machine, name, id, params));
  } catch (error) {
    const wait_s = error instanceof Refusal ? error.retry_after_s : null;
    return { name, code: codeOf(error), retry_at_ms: after(wait_s) };
  }
}

function judged(room: string, name: CommandName, said: CommandAnswer | Result): Refused | null {
  if (!said.ok) {
    const wait_s = said.error?.retry_after_s ?? null;
    return { name, code: said.error?.code ?? "internal", retry_at_ms: after(wait_s) };
  }
  // Only the room itself accepts; a refusal may be the relay's own, which knows nothing of its store.
  const state = rooms.value.get(room);
  if (state !== undefined && state.durable !== said.durable) {
    rooms.value = new Map(rooms.value).set(room, { ...state, durable: said.durable });
  }
  return null;
}

function after(wait_s: number | null): number | null {
  return wait_s === null ? null : now_ms.value + wait_s * 1_000;
}

function answer(id: string): Promise<Result | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(null), RESULT_TIMEOUT_MS);
    const done = (result: Result | null) => {
      clearTimeout(timer);
      open.delete(id);
      resolve(result);
    };
    open.set(id, done);
  });
}
