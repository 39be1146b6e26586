import { describe, expect, test } from "vitest";
import { clockFrom, roomNow_ms } from "./clock";
import { mayReconnect, REPLACED } from "./close_codes";
import { Backoff } from "./following/backoff";

describe("backoff", () => {
  const waits = (random: number, tries: number) => {
    const backoff = new Backoff(() => random);
    return Array.from({ length: tries }, () => backoff.nextWait_s());
  };
  test("grows by its factor up to its cap", () =>
    expect(waits(1, 7)).toEqual([1, 2, 4, 8, 16, 30, 30]));
  test("is spread over the whole span", () => {
    expect(waits(0, 3)).toEqual([0, 0, 0]);
    expect(waits(0.5, 3)).toEqual([0.5, 1, 2]);
  });
  test("a week without a server does not break it", () => expect(waits(1, 50_000).at(-1)).toBe(30));
});

describe("close codes", () => {
  test.each([1001, 1006, 1012, 3000, 4001, 4004])("%i comes back", (code) =>
    expect(mayReconnect(code)).toBe(true));
  test.each([1000, 1008, 3500, 4500, 4503, REPLACED])("%i is final", (code) =>
    expect(mayReconnect(code)).toBe(false));
});

test("room time runs on at the room's speed", () => {
  const clock = clockFrom({ at: "2026-11-23T20:00:00.000Z", speed: 60 }, 5_000);
  const start = Date.parse("2026-11-23T20:00:00.000Z");
  expect(roomNow_ms(clock, 5_000)).toBe(start);
  expect(roomNow_ms(clock, 6_000)).toBe(start + 60_000);
});
