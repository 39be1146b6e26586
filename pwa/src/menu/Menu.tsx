/** The menu: notices, wishes, the bell; link another device, the room's own page, the language. */

import { openPage } from "../pages/page";
import type { PageName } from "../pages/route";
import { atRelay, me, t } from "../state/signals";
import { Sheet } from "../ui/Sheet";
import { LangSwitch } from "./LangSwitch";
import { LinkDevice } from "./LinkDevice";
import { LocalPages } from "./LocalPages";

const PAGES: readonly PageName[] = ["notices", "wishes", "bell"];

export function Menu({ close }: { close(): void }) {
  return (
    <Sheet name="menu" title={t("menu.title")} close={close}>
      <nav class="menu-part" aria-label={t("menu.title")}>
        {PAGES.map((name) => (
          <button
            type="button"
            key={name}
            data-testid={`menu-${name}`}
            onClick={() => {
              close();
              openPage(name);
            }}
          >
            {t(`menu.${name}`)}
          </button>
        ))}
      </nav>
      <LinkDevice />
      <LocalPages />
      <LangSwitch />
      {atRelay.value && me.value && (
        <p class="hint my-id" data-testid="my-id">
          {t("menu.my_id", { id: me.value.resident })}
        </p>
      )}
    </Sheet>
  );
}
