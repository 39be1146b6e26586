/** From the server's frames to what the page knows. */

import { getRoom } from "../api/calls";
import { codeOf, Refusal } from "../api/http";
import { DEFAULT_BACKOFF, delay_s } from "../live/backoff";
import { clockFrom } from "../live/clock";
import { applyBatch, takeSnapshot, type RoomState } from "../live/rooms";
import { machineChanged, noticeCame, noticeGone } from "../notices/notices";
import type { PublicEvent, RoomStatus, ServerFrame, Welcome } from "../wire/types";
import { forgetRefusal, settle } from "./commands";
import { clock, mine, roomProblems, rooms } from "./signals";

/** Events kept while a room is fetched; beyond, the newest are kept and the gap is seen again. */
const MAX_WAITING = 1_000;
/** After so many snapshots that do not meet the waiting events, those are from another history. */
const MAX_MISMATCHES = 3;

/** Rooms that are being fetched, with the events that came meanwhile. */
const fetching = new Map<string, PublicEvent[]>();
/** Rooms to fetch once more: asked for while an answer was under way that may be older than a gap. */
const again = new Set<string>();

export function takeFrame(frame: ServerFrame): void {
  switch (frame.type) {
    case "welcome":
      return takeWelcome(frame);
    case "batch":
      return takeEvents(frame.events);
    case "mine":
      mine.value = frame;
      return;
    case "notice":
      return noticeCame(frame);
    case "notice_gone":
      return noticeGone(frame.ids);
    case "room_status":
      return takeStatus(frame);
    case "result":
      return settle(frame);
    case "ping":
    case "pong":
      return; // The connection's own.
  }
}

function takeWelcome(frame: Welcome): void {
  clock.value = clockFrom(frame.clock, performance.now());
  for (const [room, resume] of Object.entries(frame.rooms)) {
    if (!resume.recovered) void fetchRoom(room);
  }
}

function takeEvents(events: readonly PublicEvent[]): void {
  const ready: PublicEvent[] = [];
  for (const event of events) {
    const waiting = fetching.get(event.room);
    if (waiting === undefined) ready.push(event);
    else fetching.set(event.room, [...waiting, event].slice(-MAX_WAITING));
  }
  const { rooms: next, gaps } = applyBatch(rooms.value, ready);
  rooms.value = next;
  for (const event of ready) {
    forgetRefusal(event.room, event.machine.machine);
    machineChanged(event.room, event.machine.machine, event.cause);
  }
  for (const room of gaps) {
    void fetchRoom(
      room,
      ready.filter((event) => event.room === room),
    );
  }
}

function takeStatus(frame: RoomStatus): void {
  const state = rooms.value.get(frame.room);
  if (state !== undefined) put({ ...state, edge: frame.edge });
}

/**
 * Fetch the room until it is here and meets the events that came meanwhile. Ends without it when the
 * server says that it is not ours, or is not there.
 */
export async function fetchRoom(room: string, waiting: PublicEvent[] = []): Promise<void> {
  if (fetching.has(room)) {
    again.add(room);
    return;
  }
  fetching.set(room, waiting);
  let mismatches = 0;
  try {
    for (let attempt = 0; ; attempt += 1) {
      if (attempt > 0) await sleep(delay_s(DEFAULT_BACKOFF, attempt, Math.random()));
      again.delete(room);
      try {
        const snapshot = await getRoom(room);
        clock.value ??= clockFrom({ at: snapshot.at, speed: 1 }, performance.now());
        put(takeSnapshot(rooms.value.get(room), snapshot));
        setProblem(room, null);
      } catch (error) {
        setProblem(room, codeOf(error));
        if (error instanceof Refusal && error.status < 500 && error.status !== 429) return;
        continue;
      }
      const { rooms: next, gaps } = applyBatch(rooms.value, fetching.get(room) ?? []);
      rooms.value = next;
      if (again.has(room)) continue;
      if (!gaps.has(room)) return;
      mismatches += 1;
      if (mismatches >= MAX_MISMATCHES) return;
    }
  } finally {
    fetching.delete(room);
    again.delete(room);
  }
}

function setProblem(room: string, code: string | null): void {
  const next = new Map(roomProblems.value);
  if (code === null) next.delete(room);
  else next.set(room, code);
  roomProblems.value = next;
}

function put(state: RoomState): void {
  rooms.value = new Map(rooms.value).set(state.room, state);
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
}
