/** The menu: link another device, the room's own page, the language. */

import { atRelay, me, t } from "../state/signals";
import { Sheet } from "../ui/Sheet";
import { LangSwitch } from "./LangSwitch";
import { LinkDevice } from "./LinkDevice";
import { LocalPages } from "./LocalPages";

export function Menu({ close }: { close(): void }) {
  return (
    <Sheet name="menu" title={t("menu.title")} close={close}>
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
