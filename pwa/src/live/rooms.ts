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

export function fromSnapshot(snapshot: RoomSnapshot): RoomState {
  const { room, name, position, edge, durable, machines, programmes } = snapshot;
  return { room, name, position, edge, durable, machines, programmes };
}

/** Apply the room's next event: replace its machine; a machine that is new to the page comes last. */
export function applyEvent(state: RoomState, event: PublicEvent): RoomState {
  const known = state.machines.some((machine) => machine.machine === event.machine.machine);
  const machines = known
    ? state.machines.map((old) => (old.machine === event.machine.machine ? event.machine : old))
    : [...state.machines, event.machine];
  const position = { epoch: event.epoch, offset: event.offset };
  return { ...state, machines, position };
}

/**
 * Take a fetched snapshot. Of one that `isOlder` than the events applied to `held`, only what no event
 * tells is new: the name, the edge's status and the like. Any other replaces the room.
 */
export function takeSnapshot(
  held: RoomState | undefined,
  snapshot: RoomSnapshot,
  isOlder: boolean,
): RoomState {
  const fresh = fromSnapshot(snapshot);
  if (held === undefined || !isOlder) return fresh;
  const { name, edge, durable, programmes } = fresh;
  return { ...held, name, edge, durable, programmes };
}
