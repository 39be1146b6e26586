/** What staff is writing, and the announcement it becomes. Pure. */

import type {
  Announcement,
  AnnouncementBodyInput,
  AnnouncementKind,
  Lang,
  Repeat,
} from "../wire/types";

export const LANGS: readonly Lang[] = ["ko", "en"];
export const KINDS: readonly AnnouncementKind[] = ["maintenance", "repair", "fault", "other"];
/** Minutes that may be chosen: an hour, half a day, days, a week, a month. */
export const SHOWN_FOR_MIN: readonly number[] = [60, 180, 720, 1_440, 2_880, 10_080, 43_200];
const SHOWN_FOR_MIN_FIRST = 2_880;

export interface Draft {
  kind: AnnouncementKind;
  /** `""` everybody, `site`, `site.room`, `site.room/machine`: no slug holds a dot or a slash. */
  target: string;
  title: Record<Lang, string>;
  body: Record<Lang, string>;
  sound: boolean;
  urgent: boolean;
  /** As `<input type="datetime-local">` gives it, by the browser's clocks; `""`: now. */
  at: string;
  repeat: Repeat | "";
  /** By whose clocks it repeats; null: the browser's own. */
  zone: string | null;
  /** Its last moment, which only the command line writes; null: none. */
  repeat_until: string | null;
  shown_for_min: number;
}

export function emptyDraft(): Draft {
  return {
    kind: "maintenance",
    target: "",
    title: { ko: "", en: "" },
    body: { ko: "", en: "" },
    sound: true,
    urgent: false,
    at: "",
    repeat: "",
    zone: null,
    repeat_until: null,
    shown_for_min: SHOWN_FOR_MIN_FIRST,
  };
}

/** The languages that are begun: one with only a title or only a body is not done. */
export function begun({ title, body }: Draft): Lang[] {
  return LANGS.filter((lang) => title[lang].trim() !== "" || body[lang].trim() !== "");
}

/** At least one language is whole, and none is half. */
export function isWhole(draft: Draft): boolean {
  const langs = begun(draft);
  const half = langs.some((lang) => !draft.title[lang].trim() || !draft.body[lang].trim());
  return langs.length > 0 && !half;
}

/** `zone` is the browser's own, by whose clocks a new repeated one goes. */
export function bodyOf(draft: Draft, zone: string): AnnouncementBodyInput {
  const texts = begun(draft).map((lang) => [
    lang,
    { title: draft.title[lang].trim(), body: draft.body[lang].trim() },
  ]);
  return {
    kind: draft.kind,
    target: targetOf(draft.target),
    texts: Object.fromEntries(texts),
    sound: draft.sound,
    urgent: draft.urgent,
    at: draft.at === "" ? null : new Date(draft.at).toISOString(),
    repeat: draft.repeat === "" ? null : draft.repeat,
    zone: draft.repeat === "" ? null : (draft.zone ?? zone),
    repeat_until: draft.repeat === "" ? null : draft.repeat_until,
    shown_for_min: draft.shown_for_min,
  };
}

/** What was written, to be written anew. */
export function draftOf({ body }: Announcement): Draft {
  const { site, room, machine } = body.target;
  const words = (part: "title" | "body") => ({
    ko: body.texts["ko"]?.[part] ?? "",
    en: body.texts["en"]?.[part] ?? "",
  });
  return {
    kind: body.kind,
    target: machine === null ? (room ?? site ?? "") : `${room}/${machine}`,
    title: words("title"),
    body: words("body"),
    sound: body.sound,
    urgent: body.urgent,
    at: body.at === null ? "" : localInput(new Date(body.at)),
    repeat: body.repeat ?? "",
    zone: body.zone,
    repeat_until: body.repeat_until,
    shown_for_min: body.shown_for_min,
  };
}

export function targetOf(target: string): NonNullable<AnnouncementBodyInput["target"]> {
  if (target === "") return {};
  const [room = "", machine] = target.split("/");
  if (machine !== undefined) return { room, machine };
  return room.includes(".") ? { room } : { site: room };
}

/** A moment as `<input type="datetime-local">` takes it, by the browser's clocks. */
export function localInput(moment: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const day = [moment.getFullYear(), two(moment.getMonth() + 1), two(moment.getDate())].join("-");
  return `${day}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
}
