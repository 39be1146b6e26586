/** Commands under way: sent once by the socket or by HTTP, under one id, with one answer. */

import { signal } from "@preact/signals";
import { sendCommand } from "../api/calls";
import { codeOf } from "../api/http";
import { newId } from "../live/ids";
import { sendLive } from "../live/outbox";
import type { CommandName, Result } from "../wire/types";
import { connection } from "./signals";

/** An answer that is not here by now was lost: ask again by HTTP under the same id. */
const RESULT_TIMEOUT_MS = 12_000;

/** Why a tap did nothing matters right after it; later it only puzzles. */
export const REFUSAL_SHOWN_MS = 15_000;

/** By `room/machine`: the command that is under way. */
export const underWay = signal<ReadonlyMap<string, CommandName>>(new Map());
/** By `room/machine`: the error code of the last refusal. */
export const refusals = signal<ReadonlyMap<string, string>>(new Map());

/** What an open command waits for: its result, or null for "ask by HTTP". */
const open = new Map<string, (result: Result | null) => void>();

export function place(room: string, machine: string): string {
  return `${room}/${machine}`;
}

/** Send a command; one a machine at a time. What came of it is seen in the signals above. */
export async function command(
  room: string,
  machine: string,
  name: CommandName,
  minutes: number | null = null,
): Promise<void> {
  const key = place(room, machine);
  if (underWay.value.has(key)) return;
  underWay.value = new Map(underWay.value).set(key, name);
  forgetRefusal(room, machine);
  const code = await outcome(room, machine, name, minutes);
  const next = new Map(underWay.value);
  next.delete(key);
  underWay.value = next;
  if (code === null) return;
  refusals.value = new Map(refusals.value).set(key, code);
  setTimeout(() => forgetRefusal(room, machine), REFUSAL_SHOWN_MS);
}

/** The socket's answer to a command. */
export function settle(result: Result): void {
  open.get(result.id)?.(result);
}

/** The socket is gone; what waits for it asks by HTTP: the id makes that safe. */
export function lostConnection(): void {
  for (const resolve of [...open.values()]) resolve(null);
}

export function forgetRefusal(room: string, machine: string): void {
  if (!refusals.value.has(place(room, machine))) return;
  const next = new Map(refusals.value);
  next.delete(place(room, machine));
  refusals.value = next;
}

/** The error code, or null when it was accepted. */
async function outcome(
  room: string,
  machine: string,
  name: CommandName,
  minutes: number | null,
): Promise<string | null> {
  const id = newId();
  const params = { minutes };
  if (
    connection.value === "live" &&
    sendLive({ type: "command", id, room, machine, name, params })
  ) {
    const result = await answer(id);
    if (result !== null) return result.ok ? null : (result.error?.code ?? "internal");
  }
  try {
    const said = await sendCommand(room, machine, name, id, minutes);
    return said.ok ? null : (said.error?.code ?? "internal");
  } catch (error) {
    return codeOf(error);
  }
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
