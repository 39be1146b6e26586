import { expect, test } from "vitest";
import { durationWords } from "./words";

test.each([
  [60, "1 hour"],
  [180, "3 hours"],
  [2_880, "2 days"],
  [90, "90 minutes"],
])("%i minutes are %j", (minutes, words) => expect(durationWords("en", minutes)).toBe(words));
