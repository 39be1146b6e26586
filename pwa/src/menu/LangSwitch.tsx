/** Korean or English, for the page and for what the resident is told. */

import { chooseLang } from "../state/session";
import { lang, t } from "../state/signals";
import type { Lang } from "../wire/types";

/** Each language in its own words: whoever needs the switch cannot read the other one. */
const NAMES: readonly [lang: Lang, name: string][] = [
  ["ko", "한국어"],
  ["en", "English"],
];

export function LangSwitch() {
  return (
    <div class="langs" role="group" aria-label={t("menu.lang")}>
      {NAMES.map(([key, name]) => (
        <button
          type="button"
          key={key}
          lang={key}
          data-lang={key}
          aria-pressed={lang.value === key}
          onClick={() => void chooseLang(key)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
