import { expect, test } from "vitest";
import type { NoticeFrame, ShownAnnouncement } from "../wire/types";
import { bannersNow } from "./banners";

const UNTIL = "2026-11-23T12:00:00.000Z";
const END_MS = Date.parse(UNTIL);
const text = { title: "단수", body: "정오까지." };
const water = { id: "1", until: UNTIL, texts: { ko: text, en: text } } as unknown as ShownAnnouncement;
const notice = {
  kind: "announcement",
  useful_until: UNTIL,
  params: { title_ko: text.title, body_ko: text.body },
} as unknown as NoticeFrame;

test("it stands until its end", () => {
  expect(bannersNow([water], [], END_MS - 1)).toEqual([water]);
  expect(bannersNow([water], [], END_MS)).toEqual([]);
});

test("it does not stand beside the notice that says the same", () => {
  expect(bannersNow([water], [notice], END_MS - 1)).toEqual([]);
  const other = { ...notice, params: { ...notice.params, body_ko: "x" } };
  expect(bannersNow([water], [other], END_MS - 1)).toEqual([water]);
  expect(bannersNow([water], [{ ...notice, kind: "done" }], END_MS - 1)).toEqual([water]);
});
