import { describe, expect, test } from "vitest";
import { SAMPLE_AT, sampleMachine } from "../live/sample_room";
import type { Mine, MyWatch } from "../wire/types";
import { NOTHING_MINE } from "./ownership";
import { firstEnd_ms, watching } from "./watching";

const NOW = Date.parse(SAMPLE_AT);
const after = (min: number) => new Date(NOW + min * 60_000).toISOString();
const used = sampleMachine({ phase: "in_use", has_owner: true });
const free = sampleMachine({ machine: "w2" });
const watch = (more: Partial<MyWatch> = {}): Mine => ({
  ...NOTHING_MINE,
  watches: [{ room: "a.b", kind: "washer", told_until: null, ...more }],
});
const of = (mine: Mine, machines = [used]) => watching(mine, "a.b", "washer", machines, NOW);

describe("watching a kind", () => {
  test("is offered when none of it is free", () => {
    expect(of(NOTHING_MINE).state).toBe("offered");
    expect(of(NOTHING_MINE, [used, free]).state).toBe("idle");
    expect(of(NOTHING_MINE, [sampleMachine({ phase: "out_of_order" })]).state).toBe("offered");
  });
  test("is of its kind: another kind's free machine changes nothing", () =>
    expect(of(NOTHING_MINE, [used, { ...free, kind: "dryer" }]).state).toBe("offered"));
  test("is not offered where there is none of the kind, nor to who holds one", () => {
    expect(of(NOTHING_MINE, []).state).toBe("idle");
    const claims = [{ room: "a.b", machine: "w1", held_until: after(5) }];
    expect(of({ ...NOTHING_MINE, claims }, [{ ...used, phase: "claimed" }]).state).toBe("idle");
  });
  test("goes from waiting to told first to passed", () => {
    expect(of(watch()).state).toBe("waiting");
    expect(of(watch({ told_until: after(2) }), [used, free])).toEqual({
      state: "first",
      until_ms: NOW + 2 * 60_000,
    });
    expect(of(watch({ told_until: after(0) }), [used, free]).state).toBe("passed");
  });
  test("of another room or kind is another one", () => {
    expect(of(watch({ room: "c.d" })).state).toBe("offered");
    expect(of(watch({ kind: "dryer" })).state).toBe("offered");
  });
});

test("the first end is the nearest that is still to come", () => {
  const ends = (min: number) => sampleMachine({ phase: "in_use", ends_at: after(min) });
  expect(firstEnd_ms([ends(30), ends(12), ends(-1), free], NOW)).toBe(NOW + 12 * 60_000);
  expect(firstEnd_ms([used, free], NOW)).toBeNull();
});
