import { describe, expect, test } from "vitest";
import { fromSnapshot } from "../live/rooms";
import { sampleMachine, sampleSnapshot } from "../live/sample_room";
import { NOTHING_MINE } from "../room/ownership";
import { TEXTS } from "../texts/texts";
import { tables } from "../wire/tables";
import type { ActionId, MachineView, Mine, NoticeFrame, NoticeKind } from "../wire/types";
import { buttonsOf } from "./buttons";

const notice = (kind: NoticeKind, actions: ActionId[] | null = null) =>
  ({ kind, room: "a.b", machine: "w1", actions }) as unknown as NoticeFrame;
const owned: Mine = { ...NOTHING_MINE, machines: [{ room: "a.b", machine: "w1" }] };

function ids(shown: NoticeFrame, machine: Partial<MachineView> | null, mine = owned) {
  const room =
    machine === null ? null : fromSnapshot(sampleSnapshot({ machines: [sampleMachine(machine)] }));
  return buttonsOf("en", shown, room, mine).map((button) => button.id);
}

describe("a notice offers", () => {
  test("what it came with, or all of its row where the server does not say", () => {
    expect(ids(notice("done", ["collect"]), null)).toEqual(["collect"]);
    expect(ids(notice("done", []), null)).toEqual([]);
    expect(ids(notice("done"), null)).toEqual(["collect", "extend"]);
  });
  test("what the machine's card offers still", () => {
    const finished = { phase: "finished", has_owner: true, sensor: "ok" } as const;
    expect(ids(notice("done"), finished)).toEqual(["collect"]);
    expect(ids(notice("done"), { ...finished, sensor: "none" })).toEqual(["collect", "extend"]);
    expect(ids(notice("done"), { phase: "free" }, NOTHING_MINE)).toEqual([]);
    expect(ids(notice("machine_free"), { phase: "free" }, NOTHING_MINE)).toEqual(["claim"]);
    expect(ids(notice("machine_free"), { phase: "claimed" }, NOTHING_MINE)).toEqual([]);
  });
  test("that I come, until I have said so", () => {
    const asked = {
      phase: "finished",
      has_owner: true,
      pickup_requested_at: "2026-11-23T19:55:00.000Z",
    } as const;
    expect(ids(notice("pickup_requested"), asked)).toEqual(["coming", "collect"]);
    const said = { ...asked, owner_coming_at: "2026-11-23T19:58:00.000Z" };
    expect(ids(notice("pickup_requested"), said)).toEqual(["collect"]);
  });
  test("nothing of a machine that is not there, or where it is about none", () => {
    expect(ids(notice("done"), { machine: "other" })).toEqual([]);
    const said = { ...notice("announcement"), machine: null } as NoticeFrame;
    expect(ids(said, { phase: "free" })).toEqual([]);
  });
  test("nothing where the kind is a newer server's", () =>
    expect(ids(notice("made_up" as NoticeKind), null)).toEqual([]));
});

test("an added time is sent with the button that names it", () => {
  const [, longer] = buttonsOf("en", notice("done"), null, owned);
  expect(longer).toMatchObject({ command: "extend", params: { minutes: 10 } });
  expect(longer?.label).toContain("10");
});

test.each(Object.values(tables.notice_actions).filter(({ params }) => params.minutes === undefined))(
  "the button $command says the same as the card's",
  ({ command, label }) => {
    for (const lang of ["ko", "en"] as const) {
      expect(label[lang]).toBe(TEXTS[lang][`command.${command}`]);
    }
  },
);
