/** The resident's last 30 days: what they were told, and if not, why and what to do about it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getMyNotices } from "../api/calls";
import { codeOf } from "../api/http";
import { Elsewhere } from "../pages/Elsewhere";
import { openPage } from "../pages/page";
import { PageFrame } from "../pages/PageFrame";
import { lang, me, t } from "../state/signals";
import { errorText } from "../texts/texts";
import type { MyNotice } from "../wire/types";
import { HistoryDays } from "./HistoryDays";
import { fateOf, remedyOf } from "./history";
import { notices } from "./notices";

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
      <HistoryDays notices={shown} reader="resident" remedy={(told) => <Remedy told={told} />} />
    </>
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
