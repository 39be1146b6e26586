import { describe, expect, test } from "vitest";
import { SAMPLE_AT, sampleMachine } from "../live/sample_room";
import type { MachineView } from "../wire/types";
import { length, lengthLeft, timeWords } from "./time_words";

const NOW = Date.parse(SAMPLE_AT);
const after = (min: number) => new Date(NOW + min * 60_000).toISOString();
const words = (more: Partial<MachineView>) => timeWords(sampleMachine(more), NOW);
const running = (ends_in_min: number, more: Partial<MachineView> = {}) =>
  words({ phase: "in_use", ends_at: after(ends_in_min), ...more });

describe("minutes left", () => {
  test("to the nearest minute, with the time of day", () =>
    expect(running(11.2)).toEqual({
      key: "time.left",
      minutes: 11,
      up_to: null,
      at_ms: NOW + 11.2 * 60_000,
    }));
  test.each([0.9, 0.1, 0, -3])("%f minutes before the end it is any minute now, never 0", (min) =>
    expect(running(min)).toMatchObject({ key: "time.any_moment", at_ms: null }));
  test("any minute now, however sure", () =>
    expect(running(0.5, { ends_confidence: 0.2 })?.key).toBe("time.any_moment"));
  test.each<[number, number, string, number, number | null]>([
    [40, 0.95, "time.left", 40, null],
    [40, 0.6, "time.left", 40, null],
    [40, 0.59, "time.left_between", 30, 50],
    [40, 0.2, "time.left_between", 20, 60],
    [12, 0.5, "time.left_between", 5, 15],
    [4, 0.5, "time.left_at_most", 5, null],
    [8, 0.1, "time.left_at_most", 15, null],
  ])("%i min at a confidence of %f: %s %s %s", (min, ends_confidence, key, minutes, up_to) =>
    expect(running(min, { ends_confidence })).toMatchObject({ key, minutes, up_to }));
  test("an unsure one names no time of day", () =>
    expect(running(40, { ends_confidence: 0.3 })?.at_ms).toBeNull());
  test("of a plug that fell silent nothing is sure; the resident's own minutes are", () => {
    expect(running(40, { ends_confidence: 0.95, sensor: "silent" })?.key).toBe("time.left_between");
    expect(running(40, { sensor: "silent" })?.key).toBe("time.left");
  });
  test("every range holds the number that it stands for", () => {
    for (let min = 1; min <= 360; min += 1) {
      for (const ends_confidence of [0, 0.3, 0.59]) {
        const said = running(min, { ends_confidence });
        if (said?.key === "time.left_at_most") expect(said.minutes).toBeGreaterThanOrEqual(min);
        else {
          expect(said?.minutes).toBeLessThanOrEqual(min);
          expect(said?.up_to).toBeGreaterThanOrEqual(min);
          expect(said?.minutes).toBeGreaterThan(0);
        }
      }
    }
  });
  test("nothing is known: how long it has run, not how long is left", () =>
    expect(words({ phase: "in_use", started_at: after(-25) })).toMatchObject({
      key: "time.running_for",
      minutes: 25,
    }));
});

test("a finished machine counts from its true end", () =>
  expect(words({ phase: "finished", ended_at: after(-4) })?.minutes).toBe(4));

test("a held machine names the moment", () =>
  expect(words({ phase: "claimed", held_until: after(8) })).toEqual({
    key: "time.held_until",
    minutes: 8,
    up_to: null,
    at_ms: NOW + 8 * 60_000,
  }));

test("a hold that is over is not said to have 0 minutes left", () =>
  expect(words({ phase: "arrived", held_until: after(-0.1) })?.key).toBe("time.held_over"));

test.each([
  [0, "length.minutes", 0],
  [119, "length.minutes", 119],
  [120, "length.hours", 2],
  [2_879, "length.hours", 47],
  [2_880, "length.days", 2],
] as const)("%i minutes are said as %s, %i", (minutes, key, count) =>
  expect(length(minutes)).toEqual({ key, count, rest: 0 }));

test.each([
  [119, "length.minutes", 119, 0],
  [121, "length.hours", 2, 0],
  [128, "length.hours_minutes", 2, 10],
  [178, "length.hours", 3, 0],
  [360, "length.hours", 6, 0],
] as const)("%i minutes left are said as %s, %i and %i", (minutes, key, count, rest) =>
  expect(lengthLeft(minutes)).toEqual({ key, count, rest }));
