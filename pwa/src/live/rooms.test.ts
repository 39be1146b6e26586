import { describe, expect, test } from "vitest";
import type { MachineView, PublicEvent } from "../wire/types";
import { judge } from "./following/positions";
import { applyEvent, fromSnapshot, takeSnapshot, type RoomState } from "./rooms";
import { sampleMachine, sampleSnapshot } from "./sample_room";

const view = (machine: string, phase: MachineView["phase"]) =>
  sampleMachine({ machine, name: machine, phase });
const event = (offset: number, follows: number, more: Partial<PublicEvent> = {}): PublicEvent => ({
  room: "a.b",
  epoch: "e1",
  offset,
  follows,
  at: "2026-11-23T20:00:00.000Z",
  cause: "claimed",
  machine: view("w1", "claimed"),
  ...more,
});
const snapshot = (offset: number, epoch = "e1") =>
  sampleSnapshot({ position: { epoch, offset }, machines: [view("w1", "free"), view("w2", "free")] });
const room = (offset: number): RoomState => fromSnapshot(snapshot(offset));

describe("judge", () => {
  const at = { epoch: "e1", offset: 5 };
  test("the next event is applied", () => expect(judge(at, event(6, 5))).toBe("apply"));
  test("acknowledgements between leave no gap", () =>
    expect(judge(at, event(9, 4))).toBe("apply"));
  test("an event at or before the position is a duplicate", () => {
    expect(judge(at, event(5, 4))).toBe("duplicate");
    expect(judge(at, event(2, 1))).toBe("duplicate");
  });
  test("an event that follows one never seen is a gap", () =>
    expect(judge(at, event(9, 7))).toBe("gap"));
  test("another epoch is a gap whatever its numbers", () =>
    expect(judge(at, event(6, 5, { epoch: "e2" }))).toBe("gap"));
});

describe("applyEvent", () => {
  test("replaces the machine and moves the position", () => {
    const next = [event(6, 5), event(7, 6)].reduce(applyEvent, room(5));
    expect(next.position.offset).toBe(7);
    expect(next.machines.map((m) => m.phase)).toEqual(["claimed", "free"]);
  });
  test("a machine that is new to the page is added", () => {
    const next = applyEvent(room(5), event(6, 5, { machine: view("w9", "free") }));
    expect(next.machines.map((m) => m.machine)).toEqual(["w1", "w2", "w9"]);
  });
});

describe("takeSnapshot", () => {
  test("a late, older answer does not take the page back", () => {
    const held = applyEvent(room(5), event(6, 5));
    expect(takeSnapshot(held, snapshot(5), true).machines[0]?.phase).toBe("claimed");
  });
  test("a snapshot of another epoch always counts", () => {
    const held = applyEvent(room(5), event(6, 5));
    expect(takeSnapshot(held, snapshot(1, "e2"), false).position).toEqual({ epoch: "e2", offset: 1 });
  });
  test("a server that was restored takes the page back to where it stands", () => {
    const held = applyEvent(room(5), event(6, 5));
    const taken = takeSnapshot(held, snapshot(5), false);
    expect(taken.position.offset).toBe(5);
    expect(taken.machines[0]?.phase).toBe("free");
  });
});

test("an older answer still says whether the room remembers, and what programmes it has", () => {
  const programme = { programme: "cotton-60", kind: "washer" as const, name: "Cotton", minutes: 90 };
  const late = { ...snapshot(4), durable: false, programmes: [programme] };
  expect(takeSnapshot(room(5), late, true)).toMatchObject({
    position: { offset: 5 },
    durable: false,
    programmes: [programme],
  });
});
