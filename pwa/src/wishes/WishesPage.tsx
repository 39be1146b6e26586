/** The wishes page: each kind, quiet hours, language. On a room's own page the language alone. */

import { useEffect } from "preact/hooks";
import { LangSwitch } from "../menu/LangSwitch";
import { Elsewhere } from "../pages/Elsewhere";
import { PageFrame } from "../pages/PageFrame";
import { lang, me, t } from "../state/signals";
import { errorText } from "../texts/texts";
import { Icon } from "../ui/icons";
import { tables } from "../wire/tables";
import type { NoticeKind } from "../wire/types";
import { QuietHoursPart } from "./QuietHoursPart";
import { keepWishes, saving } from "./saving";
import { choicesOf, chosen, withChoice, type Wishes } from "./wishes";

export function WishesPage() {
  const wishes = me.value?.wishes ?? null;
  useEffect(() => void (saving.value = "idle"), []);
  return (
    <PageFrame name="wishes" title={t("wishes.title")}>
      {wishes === null ? <Elsewhere name="wishes" /> : <Kinds wishes={wishes} />}
      <section aria-labelledby="lang-title">
        <h2 id="lang-title">{t("lang.title")}</h2>
        <LangSwitch />
        <p class="hint">{t("lang.hint")}</p>
      </section>
      {wishes !== null && <Kept />}
    </PageFrame>
  );
}

function Kinds({ wishes }: { wishes: Wishes }) {
  return (
    <>
      <p class="intro">{t("wishes.intro")}</p>
      {tables.notice_parts.map(({ title, kinds }) => (
        <section key={title.en} class="kinds">
          <h2>{title[lang.value]}</h2>
          {kinds.map((kind) => (
            <Kind key={kind} kind={kind} wishes={wishes} />
          ))}
        </section>
      ))}
      <QuietHoursPart wishes={wishes} />
    </>
  );
}

function Kind({ kind, wishes }: { kind: NoticeKind; wishes: Wishes }) {
  const row = tables.notices[kind];
  const now = chosen(wishes, kind, row);
  return (
    <fieldset class="kind-wish" data-wish={kind} data-choice={now}>
      <legend>
        {row.when[lang.value]}
        {row.held_in_quiet_hours && row.channel === "app_and_push" && (
          <span class="waits" title={t("wishes.waits")}>
            <Icon name="moon" />
            <span class="unseen">{t("wishes.waits")}</span>
          </span>
        )}
      </legend>
      <div class="segments">
        {choicesOf(row).map((choice) => (
          <label key={choice} class="segment">
            <input
              type="radio"
              name={`wish-${kind}`}
              value={choice}
              checked={now === choice}
              onChange={() => void keepWishes(withChoice(wishes, kind, row, choice))}
            />
            <span>{t(`wishes.${choice}`)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Whether it is kept: seen wherever the page stands, and read out. */
function Kept() {
  const state = saving.value;
  if (typeof state === "object") {
    return (
      <p class="kept bad" role="alert" data-saving={state.code}>
        {t("wishes.failed", { why: errorText(lang.value, state.code) })}
      </p>
    );
  }
  return (
    <p class={`kept ${state}`} role="status" data-saving={state}>
      {state === "busy" ? t("app.saving") : state === "saved" ? t("app.saved") : ""}
    </p>
  );
}
