import { expect, test } from "vitest";
import schema from "../wire/schema.json";
import { FAULT_TEXT_MAX, FAULT_TEXT_MIN, faultText } from "./fault";

test("the limits are the contract's", () => {
  const [text] = schema.$defs.CommandParams.properties.text.anyOf;
  expect(text).toMatchObject({ minLength: FAULT_TEXT_MIN, maxLength: FAULT_TEXT_MAX });
});

test.each([
  ["", 0, "too_short"],
  ["   \n ", 0, "too_short"],
  ["a \n\n", 1, "too_short"],
  ["a \n\u200b b", 3, null],
  ["고장", 2, "too_short"],
  ["물 샘", 3, null],
  ["  leaks  ", 5, null],
  ["x".repeat(200), 200, null],
  ["x".repeat(201), 201, "too_long"],
  [` ${"x".repeat(200)} `, 200, null],
  // Of what the server counts: characters, not a script's units.
  ["🫧".repeat(200), 200, null],
  ["🫧🫧", 2, "too_short"],
] as const)("%j: %i characters, %s", (typed, count, problem) =>
  expect(faultText(typed)).toMatchObject({ count, problem }));

test("what is sent is what was counted: one line", () =>
  expect(faultText("  leaks\nat the\tdoor \n").text).toBe("leaks at the door"));
