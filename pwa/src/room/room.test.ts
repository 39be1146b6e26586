import { describe, expect, test } from "vitest";
import type { MachineView, Mine } from "../wire/types";
import { holdsKind, NOTHING_MINE, offered, ownership } from "./ownership";
import { length, timeWords } from "./time_words";

const NOW = Date.parse("2026-11-23T20:00:00.000Z");
const after = (min: number) => new Date(NOW + min * 60_000).toISOString();
const machine = (more: Partial<MachineView>): MachineView => ({
  machine: "w1",
  kind: "washer",
  name: "Washer 1",
  phase: "free",
  since: after(-10),
  sensor: "ok",
  has_owner: false,
  held_until: null,
  started_at: null,
  ends_at: null,
  ended_at: null,
  ...more,
});
const held = (more: Partial<MachineView>) => machine({ has_owner: true, ...more });

describe("offered", () => {
  test("a free machine: on my way, or in use at once", () =>
    expect(offered(machine({}), "none", false)).toEqual(["claim", "start"]));
  test("no second claim of a kind", () =>
    expect(offered(machine({}), "none", true)).toEqual(["start"]));
  test("held for me: I'm here, in use, give back", () =>
    expect(offered(held({ phase: "claimed" }), "holder", true)).toEqual([
      "arrive",
      "start",
      "release",
    ]));
  test("arrived: in use, give back", () =>
    expect(offered(held({ phase: "arrived" }), "holder", true)).toEqual(["start", "release"]));
  test("my running one can be given back", () =>
    expect(offered(held({ phase: "in_use" }), "owner", false)).toEqual(["release"]));
  test("my finished one can be collected", () =>
    expect(offered(held({ phase: "finished" }), "owner", false)).toEqual(["collect"]));
  test("nobody's running one may be mine", () =>
    expect(offered(machine({ phase: "in_use" }), "none", false)).toEqual(["adopt"]));
  test("nobody's finished one may be collected, or be mine", () =>
    expect(offered(machine({ phase: "finished" }), "none", false)).toEqual(["collect", "adopt"]));
  test.each(["claimed", "arrived", "in_use", "finished", "out_of_order"] as const)(
    "somebody else's %s machine offers nothing",
    (phase) => expect(offered(held({ phase }), "none", false)).toEqual([]),
  );
});

describe("ownership", () => {
  const mine: Mine = {
    ...NOTHING_MINE,
    machines: [{ room: "a.b", machine: "w1" }],
    claims: [{ room: "a.b", machine: "w2", held_until: after(5) }],
  };
  test("is of a room's machine, not of a name", () => {
    expect(ownership(mine, "a.b", "w1")).toBe("owner");
    expect(ownership(mine, "a.b", "w2")).toBe("holder");
    expect(ownership(mine, "c.d", "w1")).toBe("none");
  });
  test("a claim holds its kind in its room", () => {
    const machines = [machine({ machine: "w2" })];
    expect(holdsKind(mine, "a.b", "washer", machines)).toBe(true);
    expect(holdsKind(mine, "a.b", "dryer", machines)).toBe(false);
    expect(holdsKind(mine, "c.d", "washer", machines)).toBe(false);
  });
});

describe("timeWords", () => {
  const words = (more: Partial<MachineView>) => timeWords(machine(more), NOW);
  test("says how long is left, to the nearest minute, and never 0", () => {
    expect(words({ phase: "in_use", ends_at: after(11.2) })).toMatchObject({
      key: "time.left",
      minutes: 11,
    });
    expect(words({ phase: "in_use", ends_at: after(0.1) })?.minutes).toBe(1);
  });
  test("never says a negative time", () =>
    expect(words({ phase: "in_use", ends_at: after(-3) })?.key).toBe("time.any_moment"));
  test("without an end says how long it has run", () =>
    expect(words({ phase: "in_use", started_at: after(-25) })).toMatchObject({
      key: "time.running_for",
      minutes: 25,
    }));
  test("a finished machine counts from its true end", () =>
    expect(words({ phase: "finished", ended_at: after(-4) })?.minutes).toBe(4));
  test("a held machine names the moment", () =>
    expect(words({ phase: "claimed", held_until: after(8) })).toEqual({
      key: "time.held_until",
      minutes: 8,
      at_ms: NOW + 8 * 60_000,
    }));
});

test.each([
  [0, "length.minutes", 0],
  [119, "length.minutes", 119],
  [120, "length.hours", 2],
  [2_879, "length.hours", 47],
  [2_880, "length.days", 2],
] as const)("%i minutes are said as %s, %i", (minutes, key, count) =>
  expect(length(minutes)).toEqual({ key, count }));
