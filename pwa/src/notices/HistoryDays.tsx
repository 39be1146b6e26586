/** Notices under their days: what became of each and why, and its way step by step. */

import type { ComponentChildren } from "preact";
import { lang, now_ms, t } from "../state/signals";
import { dayWords, noticeText, preciseTime, timeOfDay } from "../texts/texts";
import { Icon, type IconName } from "../ui/icons";
import type { MyNotice } from "../wire/types";
import { byDay, dayKey, fateOf, stateWords, tellingWhy, whyWords, type Fate, type Reader } from "./history";

const ICONS: Record<Fate, IconName> = {
  told: "free",
  open: "waiting",
  untold: "out_of_order",
  unneeded: "unneeded",
};

interface Props {
  /** Newest first. */
  notices: readonly MyNotice[];
  reader: Reader;
  /** What can be done about one of them. */
  remedy(told: MyNotice): ComponentChildren;
}

export function HistoryDays({ notices, reader, remedy }: Props) {
  return (
    <>
      {byDay(notices).map((day) => (
        <section key={day.at_ms} class="day">
          <h2>{dayTitle(day.at_ms)}</h2>
          <ul>
            {day.notices.map((one) => (
              <Told key={one.notice.id} told={one} reader={reader} remedy={remedy(one)} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function dayTitle(at_ms: number): string {
  const key = dayKey(at_ms, now_ms.value);
  return key === null ? dayWords(lang.value, at_ms) : t(key);
}

function Told(props: { told: MyNotice; reader: Reader; remedy: ComponentChildren }) {
  const { told, reader, remedy } = props;
  const { notice, state } = told;
  const { title, body } = noticeText(lang.value, notice);
  const fate = fateOf(told);
  const why = whyWords(lang.value, tellingWhy(told), reader);
  return (
    <li class={`entry ${fate}`} data-history-id={notice.id} data-fate={fate} data-state={state}>
      <h3>
        {title}
        <time dateTime={notice.caused_at}>{timeOfDay(lang.value, Date.parse(notice.caused_at))}</time>
      </h3>
      <p>{body}</p>
      <p class="fate">
        <Icon name={ICONS[fate]} />
        <span>
          <b>{stateWords(lang.value, state, reader)}</b>
          {why !== "" && <span class="why"> {why}</span>}
        </span>
      </p>
      {remedy}
      <details>
        <summary>{t("history.steps")}</summary>
        <ol>
          {told.steps.map((step, index) => (
            <li key={index}>
              <time dateTime={step.at}>{preciseTime(lang.value, Date.parse(step.at))}</time>
              <span>
                {stateWords(lang.value, step.state, reader)}
                {step.why !== "" && <span class="why"> {whyWords(lang.value, step.why, reader)}</span>}
              </span>
            </li>
          ))}
        </ol>
      </details>
    </li>
  );
}
