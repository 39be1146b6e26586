import { describe, expect, test } from "vitest";
import { tables } from "../wire/tables";
import type { NoticeFrame } from "../wire/types";
import { errorText, fill, noticeText, preferredLang, TEXTS } from "./texts";

const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

describe("the texts", () => {
  test("have the same keys in both languages", () =>
    expect(Object.keys(TEXTS.ko)).toEqual(Object.keys(TEXTS.en)));
  test.each(Object.keys(TEXTS.en))("%s uses the same parameters, and says something", (key) => {
    const { ko, en }: Record<string, Record<string, string>> = TEXTS;
    expect(placeholders(ko?.[key] ?? "")).toEqual(placeholders(en?.[key] ?? ""));
    expect(ko?.[key]).not.toBe("");
  });
  test("know every command and phase of the contract", () => {
    for (const name of Object.keys(tables.command_phases)) {
      expect(TEXTS.ko).toHaveProperty([`command.${name}`]);
      expect(TEXTS.ko).toHaveProperty([`done.${name}`]);
    }
  });
  test.each(tables.push_tries)("say what came of a test that was %s", (outcome) => {
    expect(TEXTS.ko).toHaveProperty([`test.${outcome}`]);
  });
  test("hold a sentence for each error that names a code of the contract", () => {
    const codes = Object.keys(TEXTS.en)
      .filter((key) => key.startsWith("error."))
      .map((key) => key.slice("error.".length));
    const known = [...Object.keys(tables.errors), "unreachable"];
    expect(codes.filter((code) => !known.includes(code))).toEqual([]);
  });
});

test("an unknown code gets the general sentence", () =>
  expect(errorText("ko", "made_up")).toBe(TEXTS.ko["error.internal"]));

test("a notice is rendered from the contract's table in the resident's language", () => {
  const notice = { kind: "ending_soon", params: { name: "W1", minutes: 5 } } as unknown as NoticeFrame;
  expect(noticeText("en", notice).body).toBe("W1 will be done in about 5 min.");
  expect(noticeText("ko", notice).title).toBe("곧 끝나요");
});

test.each(Object.keys(tables.notices))("a notice %s leaves no gap in its sentences", (kind) => {
  const { params } = tables.notices[kind as NoticeFrame["kind"]];
  const notice = { kind, params: Object.fromEntries(params.map((name) => [name, 7])) };
  for (const lang of ["ko", "en"] as const) {
    const { title, body } = noticeText(lang, notice as unknown as NoticeFrame);
    expect(`${title} ${body}`).not.toMatch(/[{}]/);
  }
});

test("a notice of a newer server still says something", () =>
  expect(noticeText("en", { kind: "made_up", params: {} } as unknown as NoticeFrame).title).toBe(
    TEXTS.en["notice.unknown"],
  ));

test("parameters are filled once and missing ones stay visible", () =>
  expect(fill("{a} {b}", { a: "{b}" })).toBe("{b} {b}"));

test.each([
  [["ko-KR", "en"], "ko"],
  [["de", "en-GB", "ko"], "en"],
  [["fr"], "en"],
] as const)("of %j the page begins in %s", (languages, lang) =>
  expect(preferredLang(languages)).toBe(lang));
