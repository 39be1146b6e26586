import { expect, test } from "vitest";
import { sameKey, toBytes } from "./key";

test("base64url is read with and without padding", () => {
  expect([...toBytes("-_8")]).toEqual([251, 255]);
  expect([...toBytes("-_8=")]).toEqual([251, 255]);
});

test("keys are compared byte by byte", () => {
  expect(sameKey(toBytes("-_8").buffer, toBytes("-_8"))).toBe(true);
  expect(sameKey(toBytes("-_4").buffer, toBytes("-_8"))).toBe(false);
  expect(sameKey(null, toBytes("-_8"))).toBe(false);
});
