import { beforeEach, expect, test, vi } from "vitest";
import type { Me, MyRoom, Voucher } from "../wire/types";

const makeVoucher = vi.fn<(room: string) => Promise<Voucher>>();
vi.stubGlobal("navigator", { languages: ["ko-KR"] });
vi.mock("../api/calls", () => ({ makeVoucher }));
const { keptVouchers, localAddress, newVoucher } = await import("./vouchers");
const { me } = await import("../state/signals");

const room: MyRoom = { room: "a.b", name: "Room", local_url: "http://192.0.2.7" };
const who = (resident: string): Me => ({ resident, device: "d", lang: "ko", rooms: [room], push: false, push_lost_at: null, wishes: null, relay_url: null });
const in_s = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
  makeVoucher.mockResolvedValue({ token: "t", local_url: room.local_url, expires_at: in_s(60) });
});

test("a voucher opens the room's page while the relay is away, in the language of the app", async () => {
  me.value = who("r1");
  const voucher = await newVoucher(room);
  me.value = null;
  expect(keptVouchers()).toEqual([voucher]);
  expect(localAddress(voucher)).toBe("http://192.0.2.7/#voucher=t&lang=ko");
});

test("who joins in another's browser does not go into the room as that one", async () => {
  me.value = who("r1");
  await newVoucher(room);
  me.value = who("r2");
  expect(keptVouchers()).toEqual([]);
});

test("one that has run out opens nothing", async () => {
  me.value = who("r1");
  makeVoucher.mockResolvedValue({ token: "t", local_url: room.local_url, expires_at: in_s(-1) });
  await newVoucher(room);
  expect(keptVouchers()).toEqual([]);
});
