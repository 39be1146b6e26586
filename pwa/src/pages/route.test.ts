import { expect, test } from "vitest";
import { hashOf, isOnlyPage, readPage } from "./route";

test.each([
  ["#page=notices", "notices", true],
  ["#page=bell", "bell", true],
  ["#page=dinner", null, true],
  ["#room=a.b&page=wishes", "wishes", false],
  ["#join=ABCD-EFGH", null, false],
  ["", null, true],
] as const)("the address %j leads to %j", (hash, page, only) => {
  expect(readPage(hash)).toBe(page);
  expect(isOnlyPage(hash)).toBe(only);
});

test("a page's address leads to it", () => expect(readPage(hashOf("wishes"))).toBe("wishes"));
