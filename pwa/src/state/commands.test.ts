import { beforeEach, expect, test, vi } from "vitest";
import { Refusal } from "../api/http";
import { setOutbox } from "../live/outbox";
import { fromSnapshot } from "../live/rooms";
import { sampleSnapshot } from "../live/sample_room";
import type { ClientFrame, CommandAnswer, Result } from "../wire/types";

const sendCommand = vi.fn<(...said: unknown[]) => Promise<CommandAnswer>>();
vi.stubGlobal("navigator", { languages: ["en"] });
vi.mock("../api/calls", () => ({ sendCommand }));
const { accepted, ANSWER_SHOWN_MS, command, kindPlace, lostConnection, place, refusals, settle, underWay } =
  await import("./commands");
const { clock, connection, rooms } = await import("./signals");

const AT = place("a.b", "w1");
const ROOM_NOW_MS = Date.parse("2026-11-23T20:00:00.000Z");
let sent: (ClientFrame & { type: "command" })[] = [];

const answer = (more: Partial<CommandAnswer> = {}): CommandAnswer => ({
  id: "x",
  ok: true,
  position: { epoch: "e1", offset: 1 },
  error: null,
  durable: true,
  ...more,
});
const refused = (code: "rate_limited" | "pickup_muted", retry_after_s: number | null) =>
  answer({ ok: false, position: null, error: { code, message: "", retry_after_s } });
const settled = (more: CommandAnswer): Result => ({ ...more, type: "result", id: sent[0]?.id ?? "" });

beforeEach(() => {
  vi.useFakeTimers();
  sendCommand.mockReset();
  sent = [];
  refusals.value = new Map();
  accepted.value = new Map();
  connection.value = "live";
  clock.value = { room_ms: ROOM_NOW_MS, page_ms: performance.now(), speed: 1 };
  rooms.value = new Map([["a.b", fromSnapshot(sampleSnapshot())]]);
  setOutbox({
    send: (frame) => {
      if (frame.type === "command") sent.push(frame);
      return true;
    },
    acknowledge: () => undefined,
  });
});

test("what was accepted is told, for a while", async () => {
  const outcome = command("a.b", "w1", "report_fault", { text: "leaks" });
  expect(underWay.value.get(AT)).toBe("report_fault");
  expect(sent[0]).toMatchObject({ name: "report_fault", params: { text: "leaks" } });
  settle(settled(answer()));
  expect(await outcome).toBe(true);
  expect(underWay.value.size).toBe(0);
  expect(accepted.value.get(AT)).toBe("report_fault");
  vi.advanceTimersByTime(ANSWER_SHOWN_MS);
  expect(accepted.value.size).toBe(0);
});

test("an earlier answer's time does not take off a later one", async () => {
  for (const wait_ms of [0, ANSWER_SHOWN_MS - 1]) {
    vi.advanceTimersByTime(wait_ms);
    sent = [];
    const outcome = command("a.b", "w1", "request_pickup");
    settle(settled(answer()));
    await outcome;
  }
  vi.advanceTimersByTime(1);
  expect(accepted.value.get(AT)).toBe("request_pickup");
});

test("too soon: when it may be said again, in the room's time", async () => {
  const outcome = command("a.b", "w1", "request_pickup");
  settle(settled(refused("rate_limited", 240)));
  expect(await outcome).toBe(false);
  const { retry_at_ms, ...rest } = refusals.value.get(AT) ?? { retry_at_ms: 0 };
  expect(rest).toEqual({ name: "request_pickup", code: "rate_limited" });
  expect(Math.abs((retry_at_ms ?? 0) - ROOM_NOW_MS - 240_000)).toBeLessThan(1_000);
});

test("without a socket the same id goes by HTTP, with its parameters", async () => {
  sendCommand.mockResolvedValueOnce(answer());
  const outcome = command("a.b", "w1", "start", { programme: "cotton-40" });
  lostConnection();
  expect(await outcome).toBe(true);
  const params = { programme: "cotton-40" };
  expect(sendCommand).toHaveBeenCalledWith("a.b", "w1", "start", sent[0]?.id, params);
});

test("HTTP's own refusal says when, too; no answer at all is said as that", async () => {
  connection.value = "offline";
  sendCommand.mockRejectedValueOnce(new Refusal("rate_limited", 429, "", 30));
  await command("a.b", "w1", "claim");
  expect(refusals.value.get(AT)?.code).toBe("rate_limited");
  expect(refusals.value.get(AT)?.retry_at_ms).toBeGreaterThan(ROOM_NOW_MS + 29_000);
  sendCommand.mockRejectedValueOnce(new Error("no network"));
  await command("a.b", "w1", "claim");
  expect(refusals.value.get(AT)).toEqual({ name: "claim", code: "unreachable", retry_at_ms: null });
});

test("a place has one command under way; a kind's is another place than its machine's", async () => {
  const first = command("a.b", "w1", "claim");
  expect(await command("a.b", "w1", "start")).toBe(false);
  const watch = command("a.b", "w1", "watch", {}, kindPlace("a.b", "washer"));
  expect(sent.map((frame) => frame.name)).toEqual(["claim", "watch"]);
  for (const { id } of sent) settle({ ...answer(), type: "result", id });
  expect(await Promise.all([first, watch])).toEqual([true, true]);
});

test("the room's own answers say whether it remembers; a refusal may be the relay's", async () => {
  const said = async (what: CommandAnswer) => {
    sent = [];
    const outcome = command("a.b", "w1", "coming");
    settle(settled(what));
    await outcome;
    return rooms.value.get("a.b")?.durable;
  };
  expect(await said(answer({ durable: false }))).toBe(false);
  expect(await said(refused("pickup_muted", null))).toBe(false);
  expect(await said(answer())).toBe(true);
});
