/** One resident: their bells, and what became of each of their last notices. */

import { useSignal } from "@preact/signals";
import { DeviceFacts } from "../bell/DeviceFacts";
import { HistoryDays } from "../notices/HistoryDays";
import { fateOf, remedyOf } from "../notices/history";
import { t } from "../state/signals";
import { lookedUp, type LookedUp } from "./looking";
import { busy } from "./signed_in";
import { hashOfPlace } from "./views";

export function ResidentPart({ resident }: { resident: string }) {
  const known = lookedUp.value;
  return (
    <section class="one-resident" aria-labelledby="resident-title" data-of={resident}>
      <a class="back" href={hashOfPlace({ view: "told", resident: null })} data-testid="look-back">
        {t("look.back")}
      </a>
      <h2 id="resident-title">
        {t("look.resident")} <span class="number">{resident}</span>
      </h2>
      {known === null ? (
        <p class="centre">{busy.value && t("app.loading")}</p>
      ) : (
        <>
          <Bells known={known} />
          <Notices known={known} />
        </>
      )}
    </section>
  );
}

function Bells({ known: { bells } }: { known: LookedUp }) {
  return (
    <section aria-labelledby="bells-title">
      <h2 id="bells-title">{t("look.bells_title")}</h2>
      {bells.length === 0 && <p class="panel">{t("staff.device.none")}</p>}
      <ul class="devices">
        {bells.map((device) => (
          <li key={device.id} class="device" data-device={device.id} data-lost={device.lost}>
            <DeviceFacts device={device} reader="staff" />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Notices({ known: { notices } }: { known: LookedUp }) {
  const onlyMissed = useSignal(false);
  const shown = notices.filter((one) => !onlyMissed.value || fateOf(one) === "untold");
  return (
    <section aria-labelledby="told-title">
      <h2 id="told-title">{t("look.notices_title")}</h2>
      <label class="option">
        <input
          type="checkbox"
          data-testid="look-missed"
          checked={onlyMissed.value}
          onChange={(event) => (onlyMissed.value = event.currentTarget.checked)}
        />
        <span>{t("look.filter")}</span>
      </label>
      <div role="status">
        {shown.length === 0 && (
          <p class="panel">{t(notices.length === 0 ? "look.none" : "look.none_missed")}</p>
        )}
      </div>
      <HistoryDays
        notices={shown}
        reader="staff"
        remedy={(told) => {
          const remedy = remedyOf(told);
          return remedy === null ? null : <p class="hint">{t(`staff.remedy.${remedy}`)}</p>;
        }}
      />
    </section>
  );
}
