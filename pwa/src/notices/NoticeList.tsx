/** What concerns the resident, newest first, until they dismiss it or it is not useful any more. */

import { useEffect } from "preact/hooks";
import { lang, now_ms, t } from "../state/signals";
import { noticeText, timeOfDay } from "../texts/texts";
import { acknowledgeShown, dismiss, notices } from "./notices";

export function NoticeList() {
  const useful = notices.value.filter((notice) => Date.parse(notice.useful_until) > now_ms.value);
  // After the browser has them: acknowledged is what was rendered, not what arrived.
  useEffect(acknowledgeShown, [notices.value]);
  return (
    <div class="notices" role="log" aria-live="polite" aria-label={t("notices.title")}>
      {useful.map((notice) => {
        const { title, body } = noticeText(lang.value, notice);
        return (
          <article
            key={notice.id}
            class="notice"
            data-notice-id={notice.id}
            data-notice-kind={notice.kind}
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
          </article>
        );
      })}
    </div>
  );
}
