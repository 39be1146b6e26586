import { describe, expect, test } from "vitest";
import { TEXTS } from "../texts/texts";
import { tables } from "../wire/tables";
import type { DeliveryState, MyNotice } from "../wire/types";
import { byDay, dayKey, decisive, fateOf, remedyOf, stateWords, tellingWhy, whyWords } from "./history";

const at = (day: number, hour = 12) => new Date(2026, 10, day, hour).toISOString();
function notice(state: DeliveryState, whys: [DeliveryState, string][] = [], caused_at = at(23)) {
  const steps = whys.map(([step, why]) => ({ at: caused_at, state: step, why }));
  return { notice: { caused_at }, told: false, state, steps } as unknown as MyNotice;
}

describe("every state and every reason of the contract", () => {
  test.each(tables.delivery_states)("%s is said in both languages", (state) => {
    for (const lang of ["ko", "en"] as const) {
      expect(stateWords(lang, state)).toBe(
        (TEXTS[lang] as Record<string, string>)[`fate.${state}`],
      );
    }
    expect(fateOf(notice(state))).toMatch(/^(told|open|untold|unneeded)$/);
  });
  test.each(tables.delivery_whys)("%s is said in both languages", (why) => {
    for (const lang of ["ko", "en"] as const) {
      expect(TEXTS[lang]).toHaveProperty([`why.${why}`]);
      expect(whyWords(lang, why)).toBe((TEXTS[lang] as Record<string, string>)[`why.${why}`]);
    }
  });
});

test("what a push service answered is said as it answered", () => {
  expect(whyWords("en", "http_410, timeout")).toContain("http_410, timeout");
  expect(whyWords("en", "")).toBe("");
});

test("a state or reason of a newer server still says something", () => {
  const newer = notice("made_up" as DeliveryState);
  expect(fateOf(newer)).toBe("open");
  expect(stateWords("en", newer.state)).toBe(TEXTS.en["notice.unknown"]);
});

test("the decisive step is the last one of the state that it is in", () => {
  const read = notice("read", [
    ["waiting", "attentive"],
    ["read", "at_room"],
    ["read", "at_relay"],
  ]);
  expect(decisive(read)?.why).toBe("at_relay");
  expect(decisive(notice("read"))).toBe(null);
});

test("a reason that the state says already is not said again", () => {
  expect(tellingWhy(notice("declined", [["declined", "wished"]]))).toBe("");
  expect(tellingWhy(notice("app_only", [["app_only", "wished"]]))).toBe("wished");
  expect(tellingWhy(notice("unreachable", [["unreachable", "no_subscription"]]))).toBe("no_subscription");
});

test("where something can be done about it", () => {
  expect(remedyOf(notice("unreachable", [["unreachable", "no_subscription"]]))).toBe("bell");
  expect(remedyOf(notice("declined", [["declined", "wished"]]))).toBe("wishes");
  expect(remedyOf(notice("app_only", [["app_only", "kind"]]))).toBe(null);
  expect(remedyOf(notice("quiet", [["quiet", "quiet_hours"]]))).toBe("wishes");
  expect(remedyOf(notice("read", [["read", "at_relay"]]))).toBe(null);
});

test("notices stand under the days of the reader's calendar", () => {
  const days = byDay([notice("read", [], at(23, 23)), notice("read", [], at(23, 1)), notice("read", [], at(22, 23))]);
  expect(days.map((day) => day.notices.length)).toEqual([2, 1]);
  const now_ms = Date.parse(at(23, 2));
  expect(days.map((day) => dayKey(day.at_ms, now_ms))).toEqual(["history.today", "history.yesterday"]);
  expect(dayKey(Date.parse(at(20)), now_ms)).toBe(null);
});

describe("what the staff reads of somebody else's notices", () => {
  test.each(tables.delivery_states)("%s is said of them", (state) => {
    expect(stateWords("en", state, "staff")).not.toMatch(/\byour?\b/i);
    expect(stateWords("ko", state, "staff")).not.toMatch(/내 기기|정하셨/);
  });
  test.each([...tables.delivery_whys, "http_410"])("%s is said of them", (why) => {
    expect(whyWords("en", why, "staff")).not.toMatch(/\byour?\b/i);
    expect(whyWords("ko", why, "staff")).not.toMatch(/내 기기|셨|셔서|계셔|드렸|드리/);
  });
});
