import { expect, test } from "vitest";
import { KEPT, remember } from "./seen";

test("an id is remembered once, newest last", () =>
  expect(remember(["a", "b"], ["a", "c"])).toEqual(["b", "a", "c"]));

test("the oldest are forgotten beyond the limit", () => {
  const many = Array.from({ length: KEPT + 5 }, (_, index) => `n${index}`);
  const kept = remember([], many);
  expect(kept).toHaveLength(KEPT);
  expect(kept[0]).toBe("n5");
});
