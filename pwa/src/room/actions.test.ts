import { describe, expect, test } from "vitest";
import { sampleMachine } from "../live/sample_room";
import { tables } from "../wire/tables";
import type { CommandName, MachineView, Phase } from "../wire/types";
import { offer, onTheWay, standing, type Situation, type Standing } from "./actions";

const EARLIER = "2026-11-23T19:55:00.000Z";
const LATER = "2026-11-23T19:58:00.000Z";

/** A machine of which I am what `stands` says. */
function seen(phase: Phase, stands: Standing, more: Partial<MachineView> = {}) {
  const machine = sampleMachine({ phase, has_owner: stands !== "nobodys", ...more });
  const held = phase === "claimed" || phase === "arrived";
  const whose = stands === "mine" ? (held ? "holder" : "owner") : "none";
  return { machine, situation: { whose, holds: false, muted: false } satisfies Situation };
}

function buttons(phase: Phase, stands: Standing, more: Partial<MachineView> = {}, also = {}) {
  const { machine, situation } = seen(phase, stands, more);
  const { primary, beside, more: rest } = offer(machine, { ...situation, ...also });
  return [primary, beside.join(" "), rest.join(" ")];
}

describe("what a card offers: the primary one, beside it, behind more", () => {
  test.each<[Phase, Standing, CommandName | null, string, string]>([
    ["free", "nobodys", "claim", "start", "report_fault"],
    ["claimed", "mine", "arrive", "start", "release report_fault"],
    ["claimed", "others", null, "", "report_fault"],
    ["arrived", "mine", "start", "release", "report_fault"],
    ["arrived", "others", null, "", "report_fault"],
    ["in_use", "mine", null, "", "release mute_pickup report_fault"],
    ["in_use", "others", null, "", "report_fault"],
    ["in_use", "nobodys", null, "adopt", "report_fault"],
    ["finished", "mine", "collect", "", "mute_pickup report_fault"],
    ["finished", "others", null, "request_pickup", "report_fault"],
    ["finished", "nobodys", "collect", "adopt", "report_fault"],
    ["out_of_order", "mine", null, "", ""],
    ["out_of_order", "others", null, "", ""],
    ["out_of_order", "nobodys", null, "", ""],
  ])("%s, %s", (phase, stands, primary, beside, more) =>
    expect(buttons(phase, stands)).toEqual([primary, beside, more]));

  test("never a word that the contract does not allow in the phase, and none twice", () => {
    const odd = { pickup_requested_at: EARLIER, ends_at: LATER, sensor: "none" } as const;
    for (const phase of tables.command_phases.report_fault) {
      for (const stands of ["mine", "others", "nobodys"] as const) {
        const { machine, situation } = seen(phase, stands, odd);
        const { primary, beside, more } = offer(machine, situation);
        const all = [...(primary === null ? [] : [primary]), ...beside, ...more];
        expect(new Set(all).size).toBe(all.length);
        expect(beside.length).toBeLessThan(2);
        for (const name of all) expect(tables.command_phases[name]).toContain(phase);
      }
    }
  });

  test("no second claim of a kind: in use at once is possible, not urged", () =>
    expect(buttons("free", "nobodys", {}, { holds: true })).toEqual([null, "start", "report_fault"]));
});

describe("it takes longer", () => {
  const ends_at = LATER;
  test.each<[string, Phase, Partial<MachineView>, boolean]>([
    ["the resident said when it ends", "in_use", { ends_at }, true],
    ["the plug knows when it ends", "in_use", { ends_at, ends_confidence: 0.9 }, false],
    ["the plug knew and fell silent", "in_use", { ends_at, ends_confidence: 0.9, sensor: "silent" }, false],
    ["nobody knows an end to move", "in_use", { sensor: "none" }, false],
    ["a timer alone said that it is done", "finished", { sensor: "none" }, true],
    ["a plug saw that it is done", "finished", { sensor: "ok" }, false],
  ])("%s", (_why, phase, more, offered) => {
    const { machine, situation } = seen(phase, "mine", more);
    const { beside, more: rest } = offer(machine, situation);
    expect([...beside, ...rest].includes("extend")).toBe(offered);
  });
});

describe("asked to collect", () => {
  const asked = { pickup_requested_at: EARLIER };
  const answered = { pickup_requested_at: EARLIER, owner_coming_at: LATER };
  const asked_again = { pickup_requested_at: LATER, owner_coming_at: EARLIER };
  test("the owner can say that they are coming, once", () => {
    expect(buttons("finished", "mine", asked)[1]).toBe("coming");
    expect(buttons("finished", "mine", answered)[1]).toBe("");
    expect(buttons("finished", "mine", asked_again)[1]).toBe("coming");
  });
  test("an owner who is coming may be asked again, behind more", () => {
    expect(buttons("finished", "others", asked)).toEqual([null, "request_pickup", "report_fault"]);
    expect(buttons("finished", "others", answered)).toEqual([null, "", "request_pickup report_fault"]);
  });
  test("who takes no requests can take them again", () =>
    expect(buttons("finished", "mine", {}, { muted: true })[2]).toBe("unmute_pickup report_fault"));
  test("an answer older than the last request is none", () => {
    expect(onTheWay(sampleMachine(answered))).toBe(true);
    expect(onTheWay(sampleMachine(asked_again))).toBe(false);
    expect(onTheWay(sampleMachine(asked))).toBe(false);
  });
});

test("a machine is mine, somebody else's, or nobody's", () => {
  expect(standing(sampleMachine({ has_owner: true }), "owner")).toBe("mine");
  expect(standing(sampleMachine({ has_owner: true }), "none")).toBe("others");
  expect(standing(sampleMachine(), "none")).toBe("nobodys");
});
