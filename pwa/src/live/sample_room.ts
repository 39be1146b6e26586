/** A room and a machine for the tests: whole views, of which each test changes what it is about. */

import type { MachineView, RoomSnapshot } from "../wire/types";

export const SAMPLE_AT = "2026-11-23T20:00:00.000Z";

export function sampleMachine(more: Partial<MachineView> = {}): MachineView {
  return {
    machine: "w1",
    kind: "washer",
    name: "Washer 1",
    phase: "free",
    since: "2026-11-23T19:50:00.000Z",
    sensor: "ok",
    silent_since: null,
    has_owner: false,
    held_until: null,
    started_at: null,
    ends_at: null,
    ends_confidence: null,
    ended_at: null,
    programme: null,
    pickup_requested_at: null,
    owner_coming_at: null,
    fault_reported_at: null,
    ...more,
  };
}

export function sampleSnapshot(more: Partial<RoomSnapshot> = {}): RoomSnapshot {
  return {
    room: "a.b",
    name: "Basement",
    position: { epoch: "e1", offset: 0 },
    at: SAMPLE_AT,
    edge: null,
    durable: true,
    machines: [],
    programmes: [],
    run: null,
    ...more,
  };
}
