/** The form in which an announcement is written, or written anew. */

import { lang, t } from "../state/signals";
import { tables } from "../wire/tables";
import type { Lang, StaffRoom } from "../wire/types";
import { isWhole, KINDS, LANGS, SHOWN_FOR_MIN, type Draft } from "./draft";
import { busy } from "./signed_in";
import { draft, editing, send, stopEditing } from "./staff";
import { StaffProblem } from "./StaffProblem";
import { durationWords } from "./words";

function set(part: Partial<Draft>): void {
  draft.value = { ...draft.value, ...part };
}

export function AnnouncementForm({ rooms }: { rooms: readonly StaffRoom[] }) {
  const now = draft.value;
  const isNew = editing.value === null;
  return (
    <form
      class="announce"
      data-testid="announce"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h2>{t(isNew ? "staff.new" : "staff.edit_title")}</h2>
      <div class="pair">
        <label>
          {t("staff.kind")}
          <select
            name="kind"
            value={now.kind}
            onChange={(event) => set({ kind: KINDS.find((k) => k === event.currentTarget.value) ?? "other" })}
          >
            {KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {t(`announced.${kind}`)}
              </option>
            ))}
          </select>
        </label>
        <TargetChoice rooms={rooms} />
      </div>
      <p class="hint">{t("staff.languages")}</p>
      <div class="pair">
        {LANGS.map((one) => (
          <Words key={one} of={one} />
        ))}
      </div>
      <When />
      <label class="option">
        <input
          type="checkbox"
          name="sound"
          checked={now.sound}
          onChange={(event) => set({ sound: event.currentTarget.checked })}
        />
        <span>{t("staff.sound")}</span>
      </label>
      <label class="option">
        <input
          type="checkbox"
          name="urgent"
          checked={now.urgent}
          onChange={(event) => set({ urgent: event.currentTarget.checked })}
        />
        <span>{t("staff.urgent")}</span>
      </label>
      <StaffProblem />
      <div class="actions">
        <button class="primary" data-testid="announce-send" disabled={busy.value || !isWhole(now)}>
          {t(isNew ? (now.at === "" ? "staff.send_now" : "staff.send_later") : "staff.keep")}
        </button>
        {!isNew && (
          <button type="button" onClick={stopEditing}>
            {t("app.cancel")}
          </button>
        )}
      </div>
    </form>
  );
}

/** Everybody, the sites, the rooms, and each room's machines. */
function TargetChoice({ rooms }: { rooms: readonly StaffRoom[] }) {
  const sites = [...new Set(rooms.map(({ room }) => room.split(".")[0] ?? ""))];
  return (
    <label>
      {t("staff.target")}
      <select
        name="target"
        value={draft.value.target}
        onChange={(event) => set({ target: event.currentTarget.value })}
      >
        <option value="">{t("staff.everybody")}</option>
        {sites.map((site) => (
          <option key={site} value={site}>
            {t("staff.site", { site })}
          </option>
        ))}
        {rooms.map(({ room, name, machines }) => (
          <optgroup key={room} label={name}>
            <option value={room}>{t("staff.room", { name })}</option>
            {machines.map((machine) => (
              <option key={machine.machine} value={`${room}/${machine.machine}`}>
                {machine.name}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

function Words({ of }: { of: Lang }) {
  const { title, body } = draft.value;
  return (
    <fieldset class="words" lang={of}>
      <legend>{t(`staff.in_${of}`)}</legend>
      <label>
        {t("staff.headline")}
        <input
          name={`title-${of}`}
          value={title[of]}
          maxLength={tables.notice_title_max}
          onInput={(event) => set({ title: { ...title, [of]: event.currentTarget.value } })}
        />
      </label>
      <label>
        {t("staff.body")}
        <textarea
          name={`body-${of}`}
          rows={3}
          value={body[of]}
          maxLength={tables.notice_body_max}
          onInput={(event) => set({ body: { ...body, [of]: event.currentTarget.value } })}
        />
      </label>
      <p class="hint" aria-live="off">
        {t("staff.left", { left: tables.notice_body_max - body[of].length })}
      </p>
    </fieldset>
  );
}

function When() {
  const { at, repeat, shown_for_min } = draft.value;
  const choices = SHOWN_FOR_MIN.includes(shown_for_min)
    ? SHOWN_FOR_MIN
    : [...SHOWN_FOR_MIN, shown_for_min].sort((a, b) => a - b);
  return (
    <div class="three">
      <label>
        {t("staff.at")}
        <input
          type="datetime-local"
          name="at"
          value={at}
          onInput={(event) => set({ at: event.currentTarget.value })}
        />
        <span class="hint">{t("staff.at_hint")}</span>
      </label>
      <label>
        {t("staff.repeat")}
        <select
          name="repeat"
          value={repeat}
          onChange={({ currentTarget: { value } }) =>
            set({ repeat: value === "daily" || value === "weekly" ? value : "" })
          }
        >
          <option value="">{t("staff.once")}</option>
          <option value="daily">{t("staff.daily")}</option>
          <option value="weekly">{t("staff.weekly")}</option>
        </select>
      </label>
      <label>
        {t("staff.shown_for")}
        <select
          name="shown-for"
          value={shown_for_min}
          onChange={(event) => set({ shown_for_min: Number(event.currentTarget.value) })}
        >
          {choices.map((minutes) => (
            <option key={minutes} value={minutes}>
              {durationWords(lang.value, minutes)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
