/** The menu: link another device, the room's own page, the language. */

import { useEffect, useRef } from "preact/hooks";
import { t } from "../state/signals";
import { Icon } from "../ui/icons";
import { LangSwitch } from "./LangSwitch";
import { LinkDevice } from "./LinkDevice";
import { LocalPages } from "./LocalPages";

export function Menu({ close }: { close(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="menu" aria-labelledby="menu-title" onClose={close}>
      <div class="menu-head">
        <h2 id="menu-title">{t("menu.title")}</h2>
        <button
          type="button"
          class="round"
          data-testid="menu-close"
          aria-label={t("app.close")}
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" />
        </button>
      </div>
      <LinkDevice />
      <LocalPages />
      <LangSwitch />
    </dialog>
  );
}
