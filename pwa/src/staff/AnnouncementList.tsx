/** What was announced, and is to be: its state, and what became of the newest time that it went. */

import { useSignal } from "@preact/signals";
import { lang, t } from "../state/signals";
import { momentWords } from "../texts/texts";
import type { Announcement, AnnouncementCounts, StaffRoom } from "../wire/types";
import { busy } from "./signed_in";
import { announcements, edit, editing, takeBack } from "./staff";

const COUNTED = ["read", "on_socket", "pushed", "app_only", "waiting", "failed"] as const;

export function AnnouncementList({ rooms }: { rooms: readonly StaffRoom[] }) {
  return (
    <section class="announcements" aria-label={t("staff.list")}>
      <h2>{t("staff.list")}</h2>
      {announcements.value.length === 0 && <p class="hint">{t("staff.none")}</p>}
      <ul>
        {announcements.value.map((one) => (
          <Row key={one.id} one={one} rooms={rooms} />
        ))}
      </ul>
    </section>
  );
}

function Row({ one, rooms }: { one: Announcement; rooms: readonly StaffRoom[] }) {
  const sure = useSignal(false);
  const text = one.body.texts[lang.value] ?? Object.values(one.body.texts)[0];
  const canEdit = one.next_at !== null;
  const canTakeBack = one.state === "scheduled" || one.state === "shown";
  return (
    <li class={`announcement ${one.body.kind}`} data-announcement={one.id} data-state={one.state}>
      <p class="about">
        <span class={`state ${one.state}`}>{t(`staff.state_${one.state}`)}</span>
        {t(`announced.${one.body.kind}`)} · {targetWords(one, rooms)}
        {one.body.urgent && ` · ${t("staff.is_urgent")}`}
        {!one.body.sound && ` · ${t("staff.is_silent")}`}
      </p>
      <h3>{text?.title}</h3>
      <p>{text?.body}</p>
      <p class="hint">{whenWords(one)}</p>
      <Counts counts={one.counts} />
      {canTakeBack && (
        <div class="actions">
          {canEdit && (
            <button
              type="button"
              data-testid="announcement-edit"
              disabled={busy.value || editing.value === one.id}
              onClick={() => edit(one)}
            >
              {t("staff.edit")}
            </button>
          )}
          <button
            type="button"
            data-testid="announcement-cancel"
            disabled={busy.value}
            onClick={() => (sure.value ? void takeBack(one.id) : (sure.value = true))}
          >
            {t(sure.value ? "staff.cancel_sure" : "staff.cancel")}
          </button>
        </div>
      )}
    </li>
  );
}

function Counts({ counts }: { counts: AnnouncementCounts }) {
  if (counts.addressed === 0) return null;
  return (
    <dl class="counts" data-testid="counts">
      <div>
        <dt>{t("staff.count_addressed")}</dt>
        <dd>{counts.addressed}</dd>
      </div>
      {COUNTED.map((name) => (
        <div key={name} data-count={name} class={counts[name] === 0 ? "zero" : name}>
          <dt>{t(`staff.count_${name}`)}</dt>
          <dd>{counts[name]}</dd>
        </div>
      ))}
    </dl>
  );
}

function targetWords({ body }: Announcement, rooms: readonly StaffRoom[]): string {
  const { site, room, machine } = body.target;
  if (site !== null) return t("staff.site", { site });
  if (room === null) return t("staff.everybody");
  const found = rooms.find((one) => one.room === room);
  const name = found?.name ?? room;
  if (machine === null) return name;
  return `${name}, ${found?.machines.find((one) => one.machine === machine)?.name ?? machine}`;
}

function whenWords(one: Announcement): string {
  const said = (moment: string) => momentWords(lang.value, Date.parse(moment), Date.now());
  const parts = [t("staff.by", { name: one.author })];
  if (one.next_at !== null) parts.push(t("staff.goes", { time: said(one.next_at) }));
  if (one.body.repeat !== null) parts.push(t(`staff.${one.body.repeat}`));
  if (one.shown_until !== null) parts.push(t("announced.until", { time: said(one.shown_until) }));
  return parts.join(" · ");
}
