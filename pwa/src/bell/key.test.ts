import { expect, test } from "vitest";
import { sameKey, toBase64url, toBytes } from "./key";

test("base64url is read with and without padding", () => {
  expect([...toBytes("-_8")]).toEqual([251, 255]);
  expect([...toBytes("-_8=")]).toEqual([251, 255]);
});

test("base64url is written as it is read", () => {
  expect(toBase64url(toBytes("-_8").buffer)).toBe("-_8");
});

test("keys are compared byte by byte", () => {
  expect(sameKey(toBytes("-_8").buffer, toBytes("-_8"))).toBe(true);
  expect(sameKey(toBytes("-_4").buffer, toBytes("-_8"))).toBe(false);
  expect(sameKey(null, toBytes("-_8"))).toBe(false);
});
