/** The contract's tables, typed: made from laundryd/wire, never written by hand. */

import raw from "./tables.json";
import type {
  ActionId,
  Cause,
  CommandName,
  CommandParams,
  DeliveryState,
  ErrorCode,
  Lang,
  NoticeKind,
  Phase,
  PushTry,
} from "./types";

export interface NoticeText {
  title: string;
  body: string;
}

export interface NoticeRow {
  who: string;
  /** One line of the preferences: when it is told. */
  when: Record<Lang, string>;
  params: string[];
  texts: Record<Lang, NoticeText>;
  urgency: "normal" | "high";
  useful_for_s: number;
  /** The ways it takes at most; a resident may choose fewer. */
  channel: "app" | "app_and_push";
  held_in_quiet_hours: boolean;
  may_turn_off: boolean;
  /** Its buttons, the most probably meant first. */
  actions: ActionId[];
  /** Later changes of the same machine after which it is not told, or shown, any more. */
  moot_after: Cause[];
}

export interface NoticeAction {
  command: CommandName;
  params: CommandParams;
  label: Record<Lang, string>;
}

interface Tables {
  command_phases: Record<CommandName, Phase[]>;
  max_programme_min: number;
  notices: Record<NoticeKind, NoticeRow>;
  /** The kinds that residents choose of, under their headings. */
  notice_parts: { title: Record<Lang, string>; kinds: NoticeKind[] }[];
  /** The app has its own words for each of these. */
  delivery_states: DeliveryState[];
  delivery_whys: string[];
  push_tries: PushTry[];
  notice_actions: Record<ActionId, NoticeAction>;
  notice_title_max: number;
  notice_body_max: number;
  errors: Record<ErrorCode, { status: number; title: string; remedy: string }>;
  close_codes: Record<string, { name: string; reconnect: boolean; meaning: string }>;
  reconnect_codes: [first: number, last: number][];
}

// JSON's strings are wider than the tables' keys; tests/wire/test_schema.py holds them together.
export const tables = raw as unknown as Tables;
