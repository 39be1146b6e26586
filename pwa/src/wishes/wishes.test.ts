import { describe, expect, test } from "vitest";
import { tables } from "../wire/tables";
import type { NoticeKind } from "../wire/types";
import { choicesOf, chosen, exactly, firstNight, quietMinutes, withChoice, zonesOf, type Wishes } from "./wishes";

const NONE: Wishes = { choices: {}, quiet: null };
const { started, done, resumed } = tables.notices;

describe("of a kind may be chosen", () => {
  test("what its row allows", () => {
    expect(choicesOf(done)).toEqual(["app_and_push", "app_only", "nothing"]);
    expect(choicesOf(resumed)).toEqual(["app_and_push", "app_only"]);
    expect(choicesOf(started)).toEqual(["app_only", "nothing"]);
  });
  test.each(tables.notice_parts.flatMap(({ kinds }) => kinds))("%s: more than one thing", (kind) => {
    const row = tables.notices[kind];
    expect(choicesOf(row).length).toBeGreaterThan(1);
    expect(choicesOf(row)).toContain(chosen(NONE, kind, row));
  });
  test("nothing of a test: it comes when it is asked for", () =>
    expect(tables.notice_parts.flatMap(({ kinds }) => kinds)).not.toContain("test"));
});

test("a wish that is not allowed any more is the nearest that is", () => {
  const wishes: Wishes = { choices: { resumed: "nothing", started: "app_and_push" }, quiet: null };
  expect(chosen(wishes, "resumed", resumed)).toBe("app_only");
  expect(chosen(wishes, "started", started)).toBe("app_only");
});

test.each(Object.keys(tables.notices) as NoticeKind[])("what is wished of %s is in force", (kind) => {
  const row = tables.notices[kind];
  for (const choice of choicesOf(row)) {
    expect(chosen(withChoice(NONE, kind, row, choice), kind, row)).toBe(choice);
  }
  const back = withChoice(withChoice(NONE, kind, row, "app_only"), kind, row, choicesOf(row)[0]!);
  expect(back).toEqual(NONE);
});

test("other wishes stay", () => {
  const quiet = firstNight("Asia/Seoul");
  const wishes = withChoice({ choices: { done: "app_only" }, quiet }, "resumed", resumed, "app_only");
  expect(wishes).toEqual({ choices: { done: "app_only", resumed: "app_only" }, quiet });
});

test.each([
  ["23:00", "07:00", 480],
  ["07:00", "23:00", 960],
  ["00:00", "23:59", 1439],
  ["22:00", "22:00", null],
  ["", "07:00", null],
  ["24:00", "07:00", null],
] as const)("from %s to %s it is quiet for %s minutes", (begin, end, minutes) =>
  expect(quietMinutes({ begin, end })).toBe(minutes));

test.each([
  [45, "length.minutes", 45, 0],
  [60, "length.hours", 1, 0],
  [475, "length.hours_minutes", 7, 55],
] as const)("%d minutes are said to the minute", (minutes, key, count, rest) =>
  expect(exactly(minutes)).toEqual({ key, count, rest }));

test("one's own zone and the chosen one come first, once", () => {
  expect(zonesOf(["Asia/Seoul", "Europe/Berlin"], "Europe/Berlin", "Asia/Calcutta")).toEqual([
    "Europe/Berlin",
    "Asia/Calcutta",
    "Asia/Seoul",
  ]);
  expect(zonesOf([], undefined, "UTC")).toEqual(["UTC"]);
  expect(firstNight(undefined).zone).toBe("UTC");
});
