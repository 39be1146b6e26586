import { beforeEach, expect, test, vi } from "vitest";
import { sampleSnapshot } from "../live/sample_room";
import type { RoomSnapshot } from "../wire/types";

const getRoom = vi.fn<(room: string) => Promise<RoomSnapshot>>();
vi.stubGlobal("navigator", { languages: ["en"] });
vi.mock("../api/calls", () => ({ getRoom }));
const { fetchRoom } = await import("./feed");
const { rooms } = await import("./signals");

const snapshot = (offset: number) => sampleSnapshot({ position: { epoch: "e1", offset } });

beforeEach(() => (rooms.value = new Map()));

test("a room asked for while an older answer is under way is fetched once more", async () => {
  let answer: (snapshot: RoomSnapshot) => void = () => undefined;
  getRoom.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
  getRoom.mockResolvedValueOnce(snapshot(9));
  vi.spyOn(Math, "random").mockReturnValue(0);
  const first = fetchRoom("a.b");
  await fetchRoom("a.b"); // A new connection began after a gap.
  answer(snapshot(3));
  await first;
  expect(getRoom).toHaveBeenCalledTimes(2);
  expect(rooms.value.get("a.b")?.position.offset).toBe(9);
});
