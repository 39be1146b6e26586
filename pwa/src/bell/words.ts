/** The bell and its troubles in the resident's words. */

import { lang, t } from "../state/signals";
import { dateWords, errorText } from "../texts/texts";
import type { Bell, Failure } from "./decide";

export function bellWords(bell: Bell): string {
  switch (bell.state) {
    case "off":
      return t(bell.why === "lost" ? "bell.lost" : "bell.off");
    case "asking":
      return t("bell.asking");
    case "on":
      if (bell.ends_at_ms === null) return t("bell.on");
      return t("bell.ends", { date: dateWords(lang.value, bell.ends_at_ms) });
    case "blocked":
      return t("bell.blocked");
    case "impossible":
      return t(`bell.${bell.why}`);
  }
}

export function switchWords(bell: Bell & { state: "off" }): string {
  return t(bell.why === "lost" ? "bell.renew_again" : "bell.off_action");
}

export function failureWords(failure: Failure): string {
  if (failure === "dismissed") return t("bell.dismissed");
  if (failure === "unanswered") return t("bell.failed");
  return t("bell.refused", { why: errorText(lang.value, failure.code) });
}
