import { expect, test } from "vitest";
import { sampleMachine } from "../live/sample_room";
import type { Mine } from "../wire/types";
import { holdsKind, NOTHING_MINE, ownership } from "./ownership";

const mine: Mine = {
  ...NOTHING_MINE,
  machines: [{ room: "a.b", machine: "w1" }],
  claims: [{ room: "a.b", machine: "w2", held_until: "2026-11-23T20:05:00.000Z" }],
};

test("a machine is a room's, not a name", () => {
  expect(ownership(mine, "a.b", "w1")).toBe("owner");
  expect(ownership(mine, "a.b", "w2")).toBe("holder");
  expect(ownership(mine, "c.d", "w1")).toBe("none");
});

test("a claim holds its kind in its room", () => {
  const machines = [sampleMachine({ machine: "w2" })];
  expect(holdsKind(mine, "a.b", "washer", machines)).toBe(true);
  expect(holdsKind(mine, "a.b", "dryer", machines)).toBe(false);
  expect(holdsKind(mine, "c.d", "washer", machines)).toBe(false);
});
