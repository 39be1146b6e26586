/** Why was a resident not told: find them by number, device or room, and look at what they were told. */

import { useEffect, useRef } from "preact/hooks";
import { lang, t } from "../state/signals";
import { dateWords } from "../texts/texts";
import type { StaffResident, StaffRoom } from "../wire/types";
import { found, inRoom, place, search, sought } from "./looking";
import { ResidentPart } from "./ResidentPart";
import { StaffProblem } from "./StaffProblem";
import { busy } from "./signed_in";
import { hashOfPlace } from "./views";

/** As many as the server takes: a device's name. */
const SOUGHT_MAX = 60;

export function LookUpPage({ rooms }: { rooms: readonly StaffRoom[] }) {
  const { resident } = place.value;
  const page = useRef<HTMLDivElement>(null);
  const before = useRef<string | null>(null);
  // Back in the list, a keyboard goes on from whom it had chosen.
  useEffect(() => {
    const left = before.current;
    before.current = resident;
    if (resident !== null || left === null) return;
    page.current?.querySelector<HTMLElement>(`[data-resident="${CSS.escape(left)}"]`)?.focus();
  }, [resident]);
  return (
    <div ref={page} class="look-up" data-testid="look-up" data-chosen={resident !== null}>
      <section class="finding" aria-labelledby="finding-title">
        <h2 id="finding-title">{t("look.title")}</h2>
        <p class="hint">{t("look.intro")}</p>
        <Search rooms={rooms} />
        <StaffProblem />
        <Found rooms={rooms} />
      </section>
      {resident === null ? (
        <p class="centre nobody">{t("look.choose")}</p>
      ) : (
        <ResidentPart key={resident} resident={resident} rooms={rooms} />
      )}
    </div>
  );
}

function Search({ rooms }: { rooms: readonly StaffRoom[] }) {
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        void search();
      }}
    >
      <label>
        {t("look.sought")}
        <input
          name="sought"
          value={sought.value}
          maxLength={SOUGHT_MAX}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          onInput={(event) => (sought.value = event.currentTarget.value)}
        />
      </label>
      <label>
        {t("look.room")}
        <select
          name="in-room"
          value={inRoom.value}
          onChange={(event) => {
            inRoom.value = event.currentTarget.value;
            void search();
          }}
        >
          <option value="">{t("look.any_room")}</option>
          {rooms.map(({ room, name }) => (
            <option key={room} value={room}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button class="primary" data-testid="look-find" aria-disabled={busy.value}>
        {t("look.find")}
      </button>
    </form>
  );
}

function Found({ rooms }: { rooms: readonly StaffRoom[] }) {
  const said = found.value;
  return (
    <>
      <div role="status">
        {said?.residents.length === 0 && <p class="hint">{t("look.nobody")}</p>}
        {said?.more && <p class="hint">{t("look.more")}</p>}
      </div>
      <ul class="residents" aria-label={t("look.found")}>
        {said?.residents.map((one) => (
          <Resident key={one.resident} one={one} rooms={rooms} />
        ))}
      </ul>
    </>
  );
}

function Resident({ one, rooms }: { one: StaffResident; rooms: readonly StaffRoom[] }) {
  const names = one.rooms.map((key) => rooms.find(({ room }) => room === key)?.name ?? key);
  const is_chosen = place.value.resident === one.resident;
  return (
    <li>
      <a
        href={hashOfPlace({ view: "told", resident: one.resident })}
        data-resident={one.resident}
        aria-current={is_chosen ? "true" : undefined}
      >
        <span class="number">{one.resident}</span>
        {one.untold > 0 && (
          <span class="tag bad">{t("look.untold", { count: one.untold })}</span>
        )}
        <span class={one.bells === 0 ? "tag bad" : "tag"}>
          {one.bells === 0 ? t("look.no_bell") : t("look.bells", { count: one.bells })}
        </span>
        <span class="hint">
          {[
            ...one.devices,
            ...names,
            t("look.joined", { date: dateWords(lang.value, Date.parse(one.joined_at)) }),
          ].join(" · ")}
        </span>
      </a>
    </li>
  );
}
