import { beforeEach, expect, test, vi } from "vitest";
import { Refusal } from "../api/http";

const getMe = vi.fn<() => Promise<unknown>>();
const joinWithVoucher = vi.fn<(voucher: string) => Promise<unknown>>();
const startLive = vi.fn<() => Promise<void>>();
const given = vi.fn<() => unknown>();
vi.stubGlobal("navigator", { languages: ["en"], userAgent: "", maxTouchPoints: 0 });
vi.stubGlobal("location", { hash: "" });
vi.stubGlobal("history", {});
vi.stubGlobal("document", { documentElement: {} });
vi.stubGlobal("window", globalThis);
vi.mock("../api/calls", () => ({ getMe, joinWithVoucher }));
vi.mock("./live", () => ({ forget: () => undefined, leave: () => undefined, startLive }));
vi.mock("../bell/bell", () => ({ startBell: () => undefined }));
vi.mock("../menu/vouchers", () => ({ renewVouchers: () => undefined }));
vi.mock("../staff/staff", () => ({ isStaffAddress: () => false, startStaff: () => undefined }));
vi.mock("../join/fragment", () => ({
  readLang: () => null,
  readRoom: () => null,
  takeFragment: given,
}));
const { isAwaited, start, tryAgain } = await import("./session");
const { me, problem, screen } = await import("./signals");

const ANNA = { resident: "anna", lang: "en", rooms: [{ room: "a.b" }], push: false, wishes: null };
const awaited = () => new Refusal("roster_awaited", 503, "", 10);

beforeEach(() => {
  vi.useFakeTimers();
  for (const mock of [getMe, joinWithVoucher, startLive, given]) mock.mockReset();
  given.mockReturnValue(null);
  me.value = null;
  problem.value = null;
  screen.value = "starting";
});

test("a room that knows nobody yet is waited for as long as it asks, and then entered", async () => {
  getMe.mockRejectedValueOnce(awaited()).mockResolvedValueOnce(ANNA);
  await start();
  expect([screen.value, isAwaited()]).toEqual(["away", true]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(getMe).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([screen.value, isAwaited()]).toEqual(["room", false]);
});

test("who comes with a voucher meanwhile still has it when the room can judge it", async () => {
  given.mockReturnValue({ kind: "voucher", value: "v" });
  joinWithVoucher.mockRejectedValueOnce(awaited()).mockResolvedValueOnce({});
  getMe.mockResolvedValueOnce(ANNA);
  await start();
  expect([screen.value, isAwaited()]).toEqual(["away", true]);
  tryAgain();
  await vi.advanceTimersByTimeAsync(0);
  expect(joinWithVoucher.mock.calls.map(([voucher]) => voucher)).toEqual(["v", "v"]);
  expect([screen.value, problem.value]).toEqual(["room", null]);
});

test("who was in stays on the page of the room, and is not told that they are out", async () => {
  screen.value = "room";
  getMe.mockRejectedValueOnce(awaited()).mockResolvedValueOnce(ANNA);
  await start();
  expect(screen.value).toBe("room");
  await vi.advanceTimersByTimeAsync(15_000);
  expect([screen.value, me.value?.resident]).toEqual(["room", "anna"]);
});
