import { describe, expect, test } from "vitest";
import { tables } from "../wire/tables";
import { refusedWords, wishOf } from "./answering";

const about = { notice_id: "0123456789abcdef0123456789abcdef", room: "maple-hall.basement", machine: "w1" };

describe("a button", () => {
  test.each(Object.entries(tables.notice_actions))("%s sends its command about the machine", (action, row) => {
    const wish = wishOf(action, { ...about, navigate: "/" });
    expect(wish?.path).toBe(`/api/v1/rooms/maple-hall.basement/machines/w1/${row.command}`);
    expect(wish?.body).toEqual({ id: `${about.notice_id}-${action}`, ...row.params });
    expect(wish?.body.id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });
  test("is done once, however often and wherever it is tapped", () =>
    expect(wishOf("coming", about)).toEqual(wishOf("coming", { ...about })));
  test("is another wish than the button beside it", () =>
    expect(wishOf("coming", about)?.body.id).not.toBe(wishOf("collect", about)?.body.id));
  test.each(["", "constructor", "release", "toString"])("%j is none of ours", (action) =>
    expect(wishOf(action, about)).toBe(null));
  test.each([
    null,
    "w1",
    { ...about, machine: null },
    { ...about, machine: "../../me" },
    { ...about, room: "a.b/../c" },
    { ...about, notice_id: "laundryd" },
  ])("about %j leads to the app", (data) => expect(wishOf("coming", data)).toBe(null));
});

test.each(["unreachable", "edge_offline", "unauthenticated", "nobody_asked", "made_up"])(
  "a refusal %s is said in both languages",
  (code) => expect(refusedWords("ko", code)).not.toBe(refusedWords("en", code)),
);
