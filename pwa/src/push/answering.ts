/** A notification's button: the command that it sends, and what is shown when that was refused. Pure. */

import { notice_actions } from "../wire/tables.json";
import { readAbout } from "./payload";

export interface Wish {
  /** Where to POST it. */
  path: string;
  body: { id: string; minutes?: number };
}

/**
 * What a button wishes; null: none of ours, so the app is opened instead.
 *
 * The id is the notice's and the button's: tapped on two devices, or twice, it is done once.
 */
export function wishOf(action: string, data: unknown): Wish | null {
  const about = readAbout(data);
  if (about === null || !Object.hasOwn(notice_actions, action)) return null;
  const { command, params } = notice_actions[action as keyof typeof notice_actions];
  const { notice_id, room, machine } = about;
  return {
    path: `/api/v1/rooms/${room}/machines/${machine}/${command}`,
    body: { id: `${notice_id}-${action}`, ...params },
  };
}

const WORDS = {
  unreachable: {
    ko: "보내지 못했어요. 연결되지 않아요. 앱을 열어 다시 해 주세요.",
    en: "Not sent: no connection. Open the app and try again.",
  },
  room: {
    ko: "세탁실과 연결되지 않아 전하지 못했어요. 앱을 열어 확인해 주세요.",
    en: "The laundry room was not reached. Open the app and look.",
  },
  out: {
    ko: "이 기기는 더 이상 등록되어 있지 않아요. 앱을 열어 다시 들어와 주세요.",
    en: "This device is not in any more. Open the app to come back.",
  },
  moot: {
    ko: "그사이 바뀌어서 하지 않았어요. 앱을 열어 확인해 주세요.",
    en: "It changed in the meantime, and nothing was done. Open the app and look.",
  },
} as const;

const KINDS: Partial<Record<string, keyof typeof WORDS>> = {
  unreachable: "unreachable",
  edge_offline: "room",
  edge_timeout: "room",
  expired: "room",
  unauthenticated: "out",
};

/** Why nothing came of it, in the notification's language; `code`: the contract's, or "unreachable". */
export function refusedWords(lang: string, code: string): string {
  return WORDS[KINDS[code] ?? "moot"][lang === "ko" ? "ko" : "en"];
}
