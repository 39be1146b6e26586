/** The contract's tables, typed: made from laundryd/wire, never written by hand. */

import raw from "./tables.json";
import type { CommandName, ErrorCode, Lang, NoticeKind, Phase } from "./types";

export interface NoticeText {
  title: string;
  body: string;
}

interface Tables {
  command_phases: Record<CommandName, Phase[]>;
  max_programme_min: number;
  notices: Record<NoticeKind, { params: string[]; texts: Record<Lang, NoticeText> }>;
  errors: Record<ErrorCode, { status: number; title: string; remedy: string }>;
  close_codes: Record<string, { name: string; reconnect: boolean; meaning: string }>;
  reconnect_codes: [first: number, last: number][];
}

// JSON's strings are wider than the tables' keys; tests/wire/test_schema.py holds them together.
export const tables = raw as unknown as Tables;
