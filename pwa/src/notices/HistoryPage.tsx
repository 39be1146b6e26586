/** The last 30 days: each notice, what became of it and why, and its way step by step. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getMyNotices } from "../api/calls";
import { codeOf } from "../api/http";
import { Elsewhere } from "../pages/Elsewhere";
import { openPage } from "../pages/page";
import { PageFrame } from "../pages/PageFrame";
import { lang, me, now_ms, t } from "../state/signals";
import { dayWords, errorText, noticeText, preciseTime, timeOfDay } from "../texts/texts";
import { Icon, type IconName } from "../ui/icons";
import type { MyNotice } from "../wire/types";
import { byDay, dayKey, fateOf, remedyOf, stateWords, tellingWhy, whyWords, type Fate } from "./history";
import { notices } from "./notices";

const ICONS: Record<Fate, IconName> = {
  told: "free",
  open: "waiting",
  untold: "out_of_order",
  unneeded: "unneeded",
};

export function HistoryPage() {
  return (
    <PageFrame name="notices" title={t("history.title")}>
      {me.value?.wishes == null ? <Elsewhere name="notices" /> : <History />}
    </PageFrame>
  );
}

function History() {
  const found = useSignal<readonly MyNotice[] | null>(null);
  const problem = useSignal<string | null>(null);
  const onlyMissed = useSignal(false);

  async function load() {
    try {
      found.value = (await getMyNotices()).notices;
      problem.value = null;
    } catch (error) {
      problem.value = codeOf(error);
    }
  }
  // Again when something new was told while the page is open.
  useEffect(() => void load(), [notices.value]);

  const shown = (found.value ?? []).filter((one) => !onlyMissed.value || fateOf(one) === "untold");
  const isEmpty = found.value !== null && shown.length === 0;
  return (
    <>
      <p class="intro">{t("history.intro")}</p>
      <label class="option">
        <input
          type="checkbox"
          data-testid="history-missed"
          checked={onlyMissed.value}
          onChange={(event) => (onlyMissed.value = event.currentTarget.checked)}
        />
        <span>{t("history.filter")}</span>
      </label>
      <div role="status">
        {problem.value !== null && (
          <p class="banner bad" data-problem={problem.value}>
            {errorText(lang.value, problem.value)}
            <button type="button" onClick={() => void load()}>
              {t("app.retry")}
            </button>
          </p>
        )}
        {found.value === null && problem.value === null && <p class="centre">{t("app.loading")}</p>}
        {isEmpty && (
          <p class="centre">{t(found.value?.length === 0 ? "history.empty" : "history.none_missed")}</p>
        )}
      </div>
      {byDay(shown).map((day) => (
        <section key={day.at_ms} class="day">
          <h2>{dayTitle(day.at_ms)}</h2>
          <ul>
            {day.notices.map((one) => (
              <Told key={one.notice.id} told={one} />
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

function Told({ told }: { told: MyNotice }) {
  const { notice, state } = told;
  const { title, body } = noticeText(lang.value, notice);
  const fate = fateOf(told);
  const why = whyWords(lang.value, tellingWhy(told));
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
          <b>{stateWords(lang.value, state)}</b>
          {why !== "" && <span class="why"> {why}</span>}
        </span>
      </p>
      <Remedy told={told} />
      <details>
        <summary>{t("history.steps")}</summary>
        <ol>
          {told.steps.map((step, index) => (
            <li key={index}>
              <time dateTime={step.at}>{preciseTime(lang.value, Date.parse(step.at))}</time>
              <span>
                {stateWords(lang.value, step.state)}
                {step.why !== "" && <span class="why"> {whyWords(lang.value, step.why)}</span>}
              </span>
            </li>
          ))}
        </ol>
      </details>
    </li>
  );
}

function Remedy({ told }: { told: MyNotice }) {
  const remedy = remedyOf(told);
  if (remedy === null) return null;
  return (
    <button type="button" class="small" data-remedy={remedy} onClick={() => openPage(remedy)}>
      {t(remedy === "bell" ? "history.to_bell" : "history.to_wishes")}
    </button>
  );
}
