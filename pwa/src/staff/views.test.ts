import { expect, test } from "vitest";
import { hashOfPlace, isStaffAddress, readPlace, readSecret } from "./views";

test.each([
  ["#staff", true, ""],
  ["#staff=secret", true, "secret"],
  ["#staff&view=told", true, ""],
  ["#page=notices", false, ""],
  ["", false, ""],
])("the address %j is staff's: %s", (hash, is_staffs, secret) => {
  expect(isStaffAddress(hash)).toBe(is_staffs);
  expect(readSecret(hash)).toBe(secret);
});

test.each([
  ["#staff", { view: "announce", resident: null }],
  ["#staff&view=told", { view: "told", resident: null }],
  ["#staff&view=told&resident=a-_9", { view: "told", resident: "a-_9" }],
] as const)("%j leads to a page, and the page's address back to it", (hash, place) => {
  expect(readPlace(hash)).toEqual(place);
  expect(hashOfPlace(place)).toBe(hash);
});

test.each(["#staff&view=dinner", "#staff&resident=a", "#staff&view=told&resident="])(
  "%j names nobody",
  (hash) => expect(readPlace(hash).resident).toBe(null),
);
