/** The staff's announcements in the room on the screen, until each ends. */

import { notices } from "../notices/notices";
import { lang, now_ms, room, t } from "../state/signals";
import { momentWords } from "../texts/texts";
import { announced } from "./announced";
import { bannersNow } from "./banners";

export function Announced() {
  const state = room.value;
  if (state === null) return null;
  const shown = bannersNow(announced.value.get(state.room) ?? [], notices.value, now_ms.value);
  const name = (slug: string) =>
    state.machines.find(({ machine }) => machine === slug)?.name ?? slug;
  return (
    <div class="announced" role="region" aria-label={t("announced.title")}>
      {shown.map((one) => {
        const text = one.texts[lang.value];
        return (
          <article
            key={one.id}
            class={`announcement ${one.kind}`}
            data-announcement={one.id}
            data-kind={one.kind}
          >
            <p class="about">
              {t(`announced.${one.kind}`)}
              {one.machine !== null && ` · ${name(one.machine)}`}
              <span class="until">
                {t("announced.until", {
                  time: momentWords(lang.value, Date.parse(one.until), now_ms.value),
                })}
              </span>
            </p>
            <h2>{text?.title}</h2>
            <p>{text?.body}</p>
          </article>
        );
      })}
    </div>
  );
}
