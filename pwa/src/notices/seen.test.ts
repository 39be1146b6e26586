import { expect, test } from "vitest";
import { ECHO_MS, toTakeOff } from "./gone";
import { KEPT, remember } from "./seen";

test("an id is remembered once, newest last", () =>
  expect(remember(["a", "b"], ["a", "c"])).toEqual(["b", "a", "c"]));

test("the oldest are forgotten beyond the limit", () => {
  const many = Array.from({ length: KEPT + 5 }, (_, index) => `n${index}`);
  const kept = remember([], many);
  expect(kept).toHaveLength(KEPT);
  expect(kept[0]).toBe("n5");
});

test("what another page read is taken off, what this page has just shown is not", () => {
  const acknowledged = new Map([
    ["old", 0],
    ["new", ECHO_MS],
  ]);
  const gone = toTakeOff(["old", "new", "hidden"], acknowledged, ECHO_MS + 1);
  expect(gone).toEqual(["old", "hidden"]);
});
