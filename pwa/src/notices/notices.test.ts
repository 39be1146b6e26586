import { beforeEach, expect, test, vi } from "vitest";
import type { AckKind } from "../live/following/acks";
import { setOutbox } from "../live/outbox";
import type { NoticeFrame } from "../wire/types";
import { acknowledgeShown, byTold, machineChanged, noticeCame, notices } from "./notices";

const frame = (id: string, kind = "done") =>
  ({ id, kind, room: "a.b", machine: "w1" }) as unknown as NoticeFrame;
const page = { visibilityState: "visible" };
let kept = new Map<string, string>();
let sent: [AckKind, readonly string[]][] = [];

beforeEach(() => {
  kept = new Map();
  sent = [];
  notices.value = [];
  vi.stubGlobal("document", page);
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
  setOutbox({ send: () => false, acknowledge: (kind, ids) => sent.push([kind, ids]) });
});

test("a hidden page acknowledges nothing, not even what comes again after a reconnect", () => {
  page.visibilityState = "hidden";
  noticeCame(frame("n1"));
  acknowledgeShown();
  noticeCame(frame("n1"));
  acknowledgeShown();
  expect(sent).toEqual([]);
  page.visibilityState = "visible";
  acknowledgeShown();
  expect(sent).toEqual([["ack", ["n1"]]]);
  expect(notices.value).toHaveLength(1);
});

test("what was shown and comes again is acknowledged again, and shown once", () => {
  page.visibilityState = "visible";
  noticeCame(frame("n1"));
  acknowledgeShown();
  noticeCame(frame("n1"));
  expect(sent).toHaveLength(2);
  expect(notices.value).toHaveLength(1);
});

test("what a push told stands apart from the news, is acknowledged, and goes like any other", () => {
  page.visibilityState = "visible";
  noticeCame({ ...frame("n1"), told: true });
  noticeCame(frame("n2"));
  const ids = byTold(notices.value).map((some) => some.map(({ id }) => id));
  expect(ids).toEqual([["n2"], ["n1"]]);
  acknowledgeShown();
  expect(sent).toEqual([["ack", ["n2", "n1"]]]);
  machineChanged("a.b", "w1", "collected");
  expect(notices.value).toEqual([]);
});

test("with the laundry out, what asked to collect it goes; what tells of it stays", () => {
  page.visibilityState = "visible";
  noticeCame(frame("n1"));
  noticeCame(frame("n2", "collected_for_you"));
  acknowledgeShown();
  noticeCame(frame("n3"));
  machineChanged("a.b", "w1", "collected");
  expect(notices.value.map((notice) => notice.id)).toEqual(["n3", "n2"]);
});

test("a machine that goes on takes back that it was done; an answer, what it answers", () => {
  page.visibilityState = "visible";
  for (const [id, kind] of [["n1"], ["n2", "pickup_requested"], ["n3", "resumed"]] as const) {
    noticeCame(frame(id, kind));
  }
  acknowledgeShown();
  machineChanged("a.b", "w1", "owner_coming");
  expect(notices.value.map((notice) => notice.id)).toEqual(["n3", "n1"]);
  machineChanged("a.b", "w2", "resumed");
  machineChanged("a.b", "w1", "sensor_changed");
  expect(notices.value).toHaveLength(2);
  machineChanged("a.b", "w1", "resumed");
  expect(notices.value.map((notice) => notice.id)).toEqual(["n3"]);
});
