import { beforeEach, expect, test, vi } from "vitest";
import { Refusal, Unreachable } from "../api/http";
import { sampleMachine, sampleSnapshot } from "../live/sample_room";
import type { PublicEvent, RoomSnapshot } from "../wire/types";

const getRoom = vi.fn<(room: string) => Promise<RoomSnapshot>>();
vi.stubGlobal("navigator", { languages: ["en"] });
vi.stubGlobal("localStorage", { getItem: () => null });
vi.mock("../api/calls", () => ({ getRoom }));
const { fetchRoom, perform, takeFrame } = await import("./feed");
const { connection, roomProblems, rooms } = await import("./signals");

const event: PublicEvent = {
  room: "a.b",
  epoch: "e1",
  offset: 6,
  follows: 5,
  at: "2026-11-23T20:00:00.000Z",
  cause: "claimed",
  machine: sampleMachine({ phase: "claimed" }),
};

beforeEach(() => {
  rooms.value = new Map();
  roomProblems.value = new Map();
  perform([{ do: "show", state: "connecting" }]);
});

test("what was decided is seen: the room, its next event, the connection's state", () => {
  const snapshot = sampleSnapshot({ position: { epoch: "e1", offset: 5 } });
  perform([
    { do: "show", state: "live" },
    { do: "take", snapshot, is_older: false },
    { do: "apply", event },
  ]);
  expect(connection.value).toBe("live");
  expect(rooms.value.get("a.b")?.position.offset).toBe(6);
  expect(rooms.value.get("a.b")?.machines[0]?.phase).toBe("claimed");
});

test("a room that cannot be fetched says why, until it can", async () => {
  getRoom.mockRejectedValueOnce(new Refusal("rate_limited", 429, "", 7));
  expect(await fetchRoom("a.b")).toEqual({ status: 429, retry_after_s: 7 });
  expect(roomProblems.value.get("a.b")).toBe("rate_limited");
  getRoom.mockRejectedValueOnce(new Unreachable(null));
  expect(await fetchRoom("a.b")).toEqual({ status: null, retry_after_s: null });
  getRoom.mockResolvedValueOnce(sampleSnapshot());
  expect(await fetchRoom("a.b")).toEqual(sampleSnapshot());
  expect(roomProblems.value.size).toBe(0);
});

test("a room that was fetched before its computer went does not bring it back", () => {
  const there = { online: true, since: "2026-11-23T19:00:00.000Z" };
  const gone = { online: false, since: "2026-11-23T20:00:00.000Z" };
  const fetched = { do: "take", snapshot: sampleSnapshot({ edge: there }), is_older: false } as const;
  const edge = () => rooms.value.get("a.b")?.edge;
  perform([{ do: "show", state: "live" }, fetched]);
  expect(edge()).toEqual(there);
  takeFrame({ type: "room_status", room: "a.b", edge: gone });
  perform([fetched]);
  expect(edge()).toEqual(gone);
  // Without a connection nobody tells of changes: what is fetched is the newest that is known.
  perform([{ do: "show", state: "connecting" }, fetched]);
  expect(edge()).toEqual(there);
});

test("a computer that went before the room came for the first time is gone", () => {
  const gone = { online: false, since: "2026-11-23T20:00:00.000Z" };
  perform([{ do: "show", state: "live" }]);
  takeFrame({ type: "room_status", room: "a.b", edge: gone });
  const snapshot = sampleSnapshot({ edge: { ...gone, online: true } });
  perform([{ do: "take", snapshot, is_older: false }]);
  expect(rooms.value.get("a.b")?.edge).toEqual(gone);
});
