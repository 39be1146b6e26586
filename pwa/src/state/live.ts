/** The page's one live connection, wired to what the page knows. */

import { getMe } from "../api/calls";
import { Refusal } from "../api/http";
import { watchAttention } from "../live/attention";
import { Connection } from "../live/connection";
import { keepSessionId, sessionId } from "../live/ids";
import { setSender } from "../live/outbox";
import { acknowledgeShown, notices } from "../notices/notices";
import { NOTHING_MINE } from "../room/ownership";
import type { Identify } from "../wire/types";
import { lostConnection } from "./commands";
import { takeFrame } from "./feed";
import { connection, lang, me, mine, problem, rooms, screen } from "./signals";

const live = new Connection({
  identify,
  onFrame: (frame) => {
    if (frame.type === "welcome") keepSessionId(frame.session_id);
    takeFrame(frame);
    if (frame.type === "welcome") acknowledgeShown();
  },
  onState: (state) => {
    if (state !== "live") lostConnection();
    connection.value = state;
  },
  onFinal: () => void askWhy(),
  onReplaced: () => keepSessionId(null),
});

export function startLive(): void {
  setSender((frame) => live.send(frame));
  live.start();
}

export function watchTheReader(): void {
  watchAttention((visible, touched_s_ago) => {
    live.send({ type: "attention", visible, touched_s_ago });
    if (visible) acknowledgeShown();
  });
}

/** Forget the resident, or what they had before they joined one room more. */
export function forget(): void {
  live.stop();
  keepSessionId(null);
  me.value = null;
  rooms.value = new Map();
  mine.value = NOTHING_MINE;
  notices.value = [];
}

/** The token does not open this server any more: out to the join screen. */
export function leave(code: string, detail: string): void {
  forget();
  problem.value = { code, detail };
  screen.value = "join";
}

function identify(): Identify {
  const positions = (me.value?.rooms ?? []).map(
    ({ room }) => [room, rooms.value.get(room)?.position ?? null] as const,
  );
  return {
    type: "identify",
    session_id: sessionId(),
    rooms: Object.fromEntries(positions),
    visible: document.visibilityState === "visible",
    lang: lang.value,
  };
}

async function askWhy(): Promise<void> {
  try {
    await getMe();
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) leave(error.code, error.detail);
  }
}
