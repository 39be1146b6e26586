/** From the server's frames and the client's decisions to what the page knows. */

import { batch } from "@preact/signals";
import { nothingAnnounced, roomShows } from "../announced/announced";
import { getRoom } from "../api/calls";
import { codeOf, refusedBy } from "../api/http";
import { clockFrom } from "../live/clock";
import type { Action } from "../live/following/actions";
import type { Refused } from "../live/connection";
import { applyEvent, takeSnapshot, type RoomState } from "../live/rooms";
import { machineChanged, noticeCame, noticeGone } from "../notices/notices";
import { takeOffOver } from "../notices/over";
import type {
  EdgeStatus,
  PublicEvent,
  RoomSnapshot,
  RoomStatus,
  ServerFrame,
} from "../wire/types";
import { forgetRefusal, lostConnection, settle } from "./commands";
import { clock, connection, mine, roomProblems, rooms } from "./signals";

/** Whether each room's computer is heard, as this connection says: all after the welcome, then changes. */
const statuses = new Map<string, EdgeStatus>();

export function takeFrame(frame: ServerFrame): void {
  switch (frame.type) {
    case "welcome":
      statuses.clear();
      clock.value = clockFrom(frame.clock, performance.now());
      takeOffOver();
      return nothingAnnounced();
    case "mine":
      mine.value = frame;
      return;
    case "notice":
      return noticeCame(frame);
    case "notice_gone":
      return noticeGone(frame.ids);
    case "room_status":
      return takeStatus(frame);
    case "announcements":
      return roomShows(frame);
    case "result":
      return settle(frame);
    case "batch":
    case "ping":
    case "pong":
      return; // The client's own: what to apply of a batch, it says.
  }
}

/** Do what concerns the page; it is drawn once for all of them. */
export function perform(actions: readonly Action[]): void {
  batch(() => {
    for (const action of actions) {
      if (action.do === "take") take(action.snapshot, action.is_older);
      else if (action.do === "apply") apply(action.event);
      else if (action.do === "show") {
        if (action.state !== "live") {
          statuses.clear();
          lostConnection();
        }
        connection.value = action.state;
      }
    }
  });
}

/** Fetch a room for the client; what went wrong is shown in its place. */
export async function fetchRoom(room: string): Promise<RoomSnapshot | Refused> {
  try {
    const snapshot = await getRoom(room);
    clock.value ??= clockFrom({ at: snapshot.at, speed: 1 }, performance.now());
    setProblem(room, null);
    return snapshot;
  } catch (error) {
    setProblem(room, codeOf(error));
    return refusedBy(error);
  }
}

function take(snapshot: RoomSnapshot, isOlder: boolean): void {
  const state = takeSnapshot(rooms.value.get(snapshot.room), snapshot, isOlder);
  // What was fetched may be from before the change that the connection has told meanwhile.
  put({ ...state, edge: statuses.get(snapshot.room) ?? state.edge });
}

function apply(event: PublicEvent): void {
  const state = rooms.value.get(event.room);
  if (state === undefined) return;
  put(applyEvent(state, event));
  forgetRefusal(event.room, event.machine.machine);
  machineChanged(event.room, event.machine.machine, event.cause);
}

function takeStatus(frame: RoomStatus): void {
  statuses.set(frame.room, frame.edge);
  const state = rooms.value.get(frame.room);
  if (state !== undefined) put({ ...state, edge: frame.edge });
}

function setProblem(room: string, code: string | null): void {
  const next = new Map(roomProblems.value);
  if (code === null) next.delete(room);
  else next.set(room, code);
  roomProblems.value = next;
}

function put(state: RoomState): void {
  rooms.value = new Map(rooms.value).set(state.room, state);
}
