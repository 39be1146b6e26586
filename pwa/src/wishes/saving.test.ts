import { beforeEach, expect, test, vi } from "vitest";
import { Refusal } from "../api/http";
import type { Me } from "../wire/types";
import type { Wishes } from "./wishes";

const putWishes = vi.fn<(wishes: Wishes) => Promise<Me>>();
vi.stubGlobal("navigator", { languages: ["en"] });
vi.mock("../api/calls", () => ({ putWishes }));
const { keepWishes, saving } = await import("./saving");
const { me } = await import("../state/signals");

const before: Wishes = { choices: {}, quiet: null };
const wish = (choice: "app_only" | "nothing"): Wishes => ({ choices: { done: choice }, quiet: null });
const answer = (wishes: Wishes) => ({ ...me.value, wishes }) as Me;

beforeEach(() => {
  putWishes.mockReset();
  saving.value = "idle";
  me.value = { resident: "r", wishes: before } as Me;
});

test("it is shown at once and kept", async () => {
  putWishes.mockImplementation((wishes) => Promise.resolve(answer(wishes)));
  const done = keepWishes(wish("app_only"));
  expect(me.value?.wishes).toEqual(wish("app_only"));
  expect(saving.value).toBe("busy");
  await done;
  expect(saving.value).toBe("saved");
});

test("of several at once the last is kept, and never two are under way", async () => {
  const open: ((me: Me) => void)[] = [];
  putWishes.mockImplementation(() => new Promise((resolve) => open.push(resolve)));
  const done = keepWishes(wish("app_only"));
  void keepWishes(before);
  void keepWishes(wish("nothing"));
  expect(putWishes).toHaveBeenCalledTimes(1);
  open[0]!(answer(wish("app_only")));
  await vi.waitFor(() => expect(putWishes).toHaveBeenCalledTimes(2));
  expect(me.value?.wishes).toEqual(wish("nothing"));
  open[1]!(answer(wish("nothing")));
  await done;
  expect(putWishes.mock.calls.map(([wishes]) => wishes)).toEqual([wish("app_only"), wish("nothing")]);
  expect(me.value?.wishes).toEqual(wish("nothing"));
});

test("refused, the page shows what the server has, and why", async () => {
  putWishes.mockRejectedValue(new Refusal("invalid_body", 422, "a zone"));
  await keepWishes(wish("nothing"));
  expect(me.value?.wishes).toEqual(before);
  expect(saving.value).toEqual({ code: "invalid_body", detail: "a zone" });
});
