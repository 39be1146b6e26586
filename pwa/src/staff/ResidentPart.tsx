/** One resident: their bells, and what became of each of their last notices. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { DeviceFacts } from "../bell/DeviceFacts";
import { HistoryDays } from "../notices/HistoryDays";
import { fateOf, remedyOf } from "../notices/history";
import { t } from "../state/signals";
import type { StaffRoom } from "../wire/types";
import { lookedUp, type LookedUp } from "./looking";
import { busy } from "./signed_in";
import { hashOfPlace } from "./views";

interface Props {
  resident: string;
  /** All rooms, for their names. */
  rooms: readonly StaffRoom[];
}

export function ResidentPart({ resident, rooms }: Props) {
  const known = lookedUp.value;
  const heading = useRef<HTMLHeadingElement>(null);
  // The list that had the focus is gone on a phone: readers begin with whom it led to.
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="one-resident" aria-labelledby="resident-title" data-of={resident}>
      <a class="back" href={hashOfPlace({ view: "told", resident: null })} data-testid="look-back">
        {t("look.back")}
      </a>
      <h2 id="resident-title" ref={heading} tabIndex={-1}>
        {t("look.resident")} <span class="number">{resident}</span>
      </h2>
      {known === null ? (
        <p class="centre">{busy.value && t("app.loading")}</p>
      ) : (
        <>
          <Bells known={known} />
          <Notices known={known} rooms={rooms} />
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

function Notices({ known: { notices }, rooms }: { known: LookedUp; rooms: Props["rooms"] }) {
  const onlyMissed = useSignal(false);
  // "Washer 1" of which room? In one alone that is no question.
  const in_several = new Set(notices.map(({ notice }) => notice.room)).size > 1;
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
          const { room } = told.notice;
          return (
            <>
              {remedy !== null && <p class="hint">{t(`staff.remedy.${remedy}`)}</p>}
              {in_several && (
                <p class="hint in-room">{rooms.find((one) => one.room === room)?.name ?? room}</p>
              )}
            </>
          );
        }}
      />
    </section>
  );
}
