import { expect, test } from "vitest";
import type { DeliveryState, MyNotice } from "../wire/types";
import { overOf } from "./over";

const told = (id: string, state: DeliveryState) => ({ notice: { id }, state }) as MyNotice;

test.each(["shown", "read", "moot"] as const)("what is %s leaves the system's list", (state) =>
  expect(overOf(["a", "b"], [told("b", state), told("c", state)])).toEqual(["b"]));

test.each(["pushed", "sending", "due", "quiet", "unreachable"] as const)(
  "what is %s stays, and so does what is no notice of the last 30 days",
  (state) => expect(overOf(["a", "laundryd"], [told("a", state)])).toEqual([]),
);
