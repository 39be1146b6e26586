/** The text of a fault report: one sentence for whoever repairs it. Pure. */

/** The contract's limits, characters; room.test.ts holds them to the schema. */
export const FAULT_TEXT_MIN = 3;
export const FAULT_TEXT_MAX = 200;

/** Controls, formats and spaces of every kind, any number: one space. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Z}]+/gu;

export interface FaultText {
  /** As it is sent, and as staff reads it: one line, without the space around it. */
  text: string;
  /** Characters as people and the server count them: an emoji is one. */
  count: number;
  problem: "too_short" | "too_long" | null;
}

export function faultText(typed: string): FaultText {
  const text = typed.replace(UNSEEN, " ").trim();
  const count = [...text].length;
  if (count < FAULT_TEXT_MIN) return { text, count, problem: "too_short" };
  return { text, count, problem: count > FAULT_TEXT_MAX ? "too_long" : null };
}
