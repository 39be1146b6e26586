/** The page's one live connection, wired to what the page knows. */

import { getMe } from "../api/calls";
import { Refusal, refusedBy } from "../api/http";
import { Connection, type Refused } from "../live/connection";
import { keepSessionId, sessionId } from "../live/ids";
import { setOutbox } from "../live/outbox";
import { isVisible, listenToPage } from "../live/page";
import { acknowledgeShown, notices } from "../notices/notices";
import { NOTHING_MINE } from "../room/ownership";
import { fetchRoom, perform, takeFrame } from "./feed";
import { connection, lang, me, mine, problem, rooms, screen } from "./signals";

const NOT_REFUSED: Refused = { status: null, retry_after_s: null };
let live: Connection | null = null;

/** Connect, if there is no connection; resolves when the page has its rooms, or waited long enough. */
export async function startLive(): Promise<void> {
  if (live !== null && !live.core.isStopped) return;
  connection.value = "connecting";
  const before = live?.core; // What the page shows stands where it did.
  const held = (me.value?.rooms ?? []).map(
    ({ room }) => [room, before?.at(room) ?? null] as const,
  );
  const started = new Connection(
    { rooms: held, session_id: sessionId(), visible: isVisible(), lang: lang.value },
    { perform, onFrame: takeFrame, getRoom: fetchRoom, askWhy, keepSessionId },
  );
  live = started;
  setOutbox({
    send: (frame) => started.send(frame),
    acknowledge: (kind, ids) => started.acknowledge(kind, ids),
  });
  await started.start();
}

export function watchTheReader(): void {
  listenToPage({
    attend: (visible) => {
      live?.attend(visible);
      if (visible) acknowledgeShown();
    },
    touched: () => live?.touched(),
    woken: () => live?.woken(),
  });
  lang.subscribe((chosen) => {
    if (live !== null) live.core.lang = chosen;
  });
}

/** Forget the resident, or what they had before they joined one room more. */
export function forget(): void {
  live?.stop();
  live = null;
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

async function askWhy(): Promise<Refused> {
  try {
    await getMe();
  } catch (error) {
    // What is no answer of the server's own, a proxy's say, does not concern us.
    if (!(error instanceof Refusal) || error.code === "not_understood") return NOT_REFUSED;
    if (error.status === 401) leave(error.code, error.detail);
    return refusedBy(error);
  }
  return NOT_REFUSED;
}
