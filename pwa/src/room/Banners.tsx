/** What stands between the page and the truth: our own connection, the room's to the relay, or its memory. */

import { startLive } from "../state/live";
import { connection, lang, now_ms, room, t } from "../state/signals";
import { momentWords } from "../texts/texts";

export function Banners() {
  const edge = room.value?.edge;
  const forgetful = room.value?.durable === false;
  return (
    <div role="status">
      {connection.value === "offline" && (
        <p class="banner bad" data-banner="offline">
          {t("connection.offline")}
        </p>
      )}
      {connection.value === "stopped" && (
        <p class="banner bad" data-banner="stopped">
          {t("connection.stopped")}
          <button type="button" onClick={startLive}>
            {t("app.retry")}
          </button>
        </p>
      )}
      {edge && !edge.online && (
        <p class="banner warn" data-banner="room-unreachable">
          {t("room.unreachable", { time: momentWords(lang.value, Date.parse(edge.since), now_ms.value) })}
        </p>
      )}
      {forgetful && (
        <p class="banner warn" data-banner="not-durable">
          {t("room.not_durable")}
        </p>
      )}
    </div>
  );
}
