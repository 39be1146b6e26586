import { expect, test } from "vitest";
import type { Announcement } from "../wire/types";
import { bodyOf, draftOf, emptyDraft, isWhole, targetOf, type Draft } from "./draft";

const water: Draft = {
  ...emptyDraft(),
  target: "maple-hall.north/w1",
  title: { ko: "단수", en: "Water off" },
  body: { ko: "정오까지.", en: "Until noon." },
  at: "2026-12-01T09:00",
  repeat: "weekly",
  urgent: true,
};

test("one language is enough, and a half one is not", () => {
  expect(isWhole(emptyDraft())).toBe(false);
  expect(isWhole(water)).toBe(true);
  expect(isWhole({ ...water, title: { ...water.title, ko: " " } })).toBe(false);
  const alone = { ...water, title: { ko: "", en: "x" }, body: { ko: "", en: "y" } };
  expect(isWhole(alone)).toBe(true);
  expect(Object.keys(bodyOf(alone, "Asia/Seoul").texts)).toEqual(["en"]);
});

test("a repeated one goes by the browser's clocks, and another names none", () => {
  expect(bodyOf(water, "Asia/Seoul").zone).toBe("Asia/Seoul");
  expect(bodyOf({ ...water, repeat: "" }, "Asia/Seoul").zone).toBeNull();
  expect(bodyOf({ ...water, at: "" }, "Asia/Seoul").at).toBeNull();
});

test("who edits it from elsewhere changes neither its clocks nor its end", () => {
  const repeat_until = "2027-03-01T00:00:00.000Z";
  const kept = { ...water, zone: "Asia/Seoul", repeat_until };
  expect(bodyOf(kept, "Europe/Berlin")).toMatchObject({ zone: "Asia/Seoul", repeat_until });
  const once = bodyOf({ ...kept, repeat: "" }, "Europe/Berlin");
  expect(once).toMatchObject({ zone: null, repeat_until: null });
});

test.each([
  ["", {}],
  ["maple-hall", { site: "maple-hall" }],
  ["maple-hall.north", { room: "maple-hall.north" }],
  ["maple-hall.north/w1", { room: "maple-hall.north", machine: "w1" }],
])("%j addresses %j", (target, expected) => expect(targetOf(target)).toEqual(expected));

const until = "2027-03-01T00:00:00.000Z";
test.each([water, { ...water, repeat_until: until }, { ...water, target: "maple-hall", repeat: "" as const }, { ...water, target: "" }])(
  "what was written comes back to be edited",
  (draft) => {
    const body = bodyOf(draft, "Asia/Seoul");
    const target = { site: null, room: null, machine: null, ...body.target };
    expect(draftOf({ body: { ...body, target } } as unknown as Announcement)).toEqual({ ...draft, zone: body.zone });
  },
);
