/** A room as this page knows it, and how events change it. Pure. */

import type {
  EdgeStatus,
  MachineView,
  Position,
  Programme,
  PublicEvent,
  RoomSnapshot,
} from "../wire/types";

export interface RoomState {
  room: string;
  name: string;
  position: Position;
  /** null on the room's own page: there the edge itself answers. */
  edge: EdgeStatus | null;
  /** false: the room runs from memory and may forget at a power cut. */
  durable: boolean;
  machines: MachineView[];
  programmes: Programme[];
}

export type Verdict = "applied" | "duplicate" | "gap";

export function fromSnapshot(snapshot: RoomSnapshot): RoomState {
  const { room, name, position, edge, durable, machines, programmes } = snapshot;
  return { room, name, position, edge, durable, machines, programmes };
}

/** What an event means to a page that stands at `position`: the rule of PublicEvent. */
export function judge(position: Position, event: PublicEvent): Verdict {
  if (event.epoch !== position.epoch) return "gap";
  if (event.offset <= position.offset) return "duplicate";
  return event.follows <= position.offset ? "applied" : "gap";
}

/** Replace the event's machine; a machine that is new to the page comes last. */
function applyEvent(state: RoomState, event: PublicEvent): RoomState {
  const known = state.machines.some((machine) => machine.machine === event.machine.machine);
  const machines = known
    ? state.machines.map((old) => (old.machine === event.machine.machine ? event.machine : old))
    : [...state.machines, event.machine];
  const position = { epoch: event.epoch, offset: event.offset };
  return { ...state, machines, position };
}

export interface Applied {
  rooms: ReadonlyMap<string, RoomState>;
  /** Rooms to fetch anew: something between was missed, or the room was never seen. */
  gaps: ReadonlySet<string>;
}

/** Apply a batch in its order. After a gap nothing more of that room is applied. */
export function applyBatch(
  rooms: ReadonlyMap<string, RoomState>,
  events: readonly PublicEvent[],
): Applied {
  const next = new Map(rooms);
  const gaps = new Set<string>();
  for (const event of events) {
    const state = next.get(event.room);
    if (state === undefined || gaps.has(event.room)) {
      gaps.add(event.room);
      continue;
    }
    const verdict = judge(state.position, event);
    if (verdict === "gap") gaps.add(event.room);
    if (verdict === "applied") next.set(event.room, applyEvent(state, event));
  }
  return { rooms: next, gaps };
}

/**
 * Take a fetched snapshot. A late answer that is older than what is held changes what no event tells
 * only, the name, the edge's status and the like: a page never goes back in time.
 */
export function takeSnapshot(held: RoomState | undefined, snapshot: RoomSnapshot): RoomState {
  const fresh = fromSnapshot(snapshot);
  if (
    held !== undefined &&
    held.position.epoch === fresh.position.epoch &&
    held.position.offset > fresh.position.offset
  ) {
    const { name, edge, durable, programmes } = fresh;
    return { ...held, name, edge, durable, programmes };
  }
  return fresh;
}
