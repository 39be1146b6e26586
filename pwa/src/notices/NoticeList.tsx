/** What concerns the resident, newest first, until they dismiss it or it is not useful any more. */

import { useEffect } from "preact/hooks";
import { Answer } from "../room/Answer";
import { command, noticePlace, underWay } from "../state/commands";
import { lang, mine, now_ms, rooms, t } from "../state/signals";
import { noticeText, timeOfDay } from "../texts/texts";
import type { NoticeFrame } from "../wire/types";
import { buttonsOf, type Button } from "./buttons";
import { acknowledgeShown, byTold, dismiss, notices } from "./notices";

export function NoticeList() {
  const useful = notices.value.filter((notice) => Date.parse(notice.useful_until) > now_ms.value);
  const [news, told] = byTold(useful);
  // After the browser has them: acknowledged is what was rendered, not what arrived.
  useEffect(acknowledgeShown, [notices.value]);
  return (
    <>
      <div class="notices" role="log" aria-live="polite" aria-label={t("notices.title")}>
        {news.map((notice) => (
          <Shown key={notice.id} notice={notice} />
        ))}
      </div>
      {/* A push told these: they stand here to be looked up, and no screen reader speaks up for them. */}
      <div class="notices" role="group" aria-label={t("notices.told")}>
        {told.map((notice) => (
          <Shown key={notice.id} notice={notice} />
        ))}
      </div>
    </>
  );
}

function Shown({ notice }: { notice: NoticeFrame }) {
  const { title, body } = noticeText(lang.value, notice);
  return (
    <article
      class={notice.told ? "notice told" : "notice"}
      data-notice-id={notice.id}
      data-notice-kind={notice.kind}
      data-notice-told={notice.told ? "" : undefined}
      data-machine-ref={notice.machine}
    >
      <div>
        <h2>
          {title}
          <time dateTime={notice.caused_at}>
            {timeOfDay(lang.value, Date.parse(notice.caused_at))}
          </time>
        </h2>
        <p>{body}</p>
      </div>
      <button type="button" data-testid="notice-dismiss" onClick={() => dismiss(notice.id)}>
        {t("notice.dismiss")}
      </button>
      <Buttons notice={notice} />
    </article>
  );
}

function Buttons({ notice }: { notice: NoticeFrame }) {
  const room = rooms.value.get(notice.room) ?? null;
  const buttons = buttonsOf(lang.value, notice, room, mine.value);
  const at = noticePlace(notice.id);
  const busy = underWay.value.get(at) ?? null;
  const unreachable = room !== null && room.edge !== null && !room.edge.online;
  return (
    <div class="answerable">
      {buttons.length > 0 && (
        <div class="actions">
          {buttons.map((button) => (
            <button
              key={button.id}
              type="button"
              data-action={button.id}
              disabled={unreachable}
              // Not disabled: that would take the focus away.
              aria-disabled={busy !== null}
              onClick={() => void press(notice, button)}
            >
              {busy === button.command ? t("command.busy") : button.label}
            </button>
          ))}
        </div>
      )}
      <Answer at={at} />
    </div>
  );
}

/** Say what the button says; accepted, the notice is dealt with. */
async function press(notice: NoticeFrame, { command: name, params }: Button): Promise<void> {
  if (notice.machine === null) return;
  const done = await command(notice.room, notice.machine, name, params, noticePlace(notice.id));
  if (done && notices.value.some(({ id }) => id === notice.id)) dismiss(notice.id);
}
