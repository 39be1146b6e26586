import { describe, expect, test } from "vitest";
import { delay_s } from "./backoff";
import { clockFrom, roomNow_ms } from "./clock";
import { mayReconnect, REPLACED } from "./close_codes";

describe("backoff", () => {
  const backoff = { first_s: 1, factor: 2, cap_s: 30, jitter: "full" } as const;
  test("grows by its factor up to its cap", () =>
    expect([0, 1, 2, 3, 9, 500].map((n) => delay_s(backoff, n, 1))).toEqual([1, 2, 4, 8, 30, 30]));
  test("is spread over the whole span", () => {
    expect(delay_s(backoff, 3, 0)).toBe(0);
    expect(delay_s(backoff, 3, 0.5)).toBe(4);
  });
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
