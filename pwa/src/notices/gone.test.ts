import { expect, test } from "vitest";
import type { DeliveryState, MyNotice } from "../wire/types";
import { within } from "./gone";

const told = (id: string, state: DeliveryState) => ({ notice: { id }, state }) as MyNotice;

test("only what is asked for and in one of the states is found", () => {
  const found = [told("a", "read"), told("b", "shown"), told("c", "pushed"), told("d", "read")];
  expect(within(["read", "shown"], ["a", "b", "c", "laundryd"], found)).toEqual(["a", "b"]);
  expect(within(["read"], ["b", "c"], found)).toEqual([]);
  expect(within(["read"], [], found)).toEqual([]);
});
