/** A page above the page: from below on a phone, in the middle elsewhere. Esc, the veil and × close it. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../state/signals";
import { Icon } from "./icons";

interface Props {
  /** Unique on the page; the title's id comes from it, too. */
  name: string;
  title: string;
  close(): void;
  children: ComponentChildren;
}

export function Sheet({ name, title, close, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opened = dialog.current;
    const before = document.activeElement;
    opened?.showModal();
    opened?.addEventListener("close", close);
    return () => {
      // Taken off by its owner, who may have opened the next one already.
      opened?.removeEventListener("close", close);
      opened?.close();
      // A dialog that is removed does not give the focus back by itself.
      if (document.activeElement === document.body && before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class="sheet"
      data-sheet={name}
      aria-labelledby={`${name}-title`}
      onClick={(event) => event.target === event.currentTarget && event.currentTarget.close()}
    >
      <div class="sheet-in">
        <div class="sheet-head">
          <h2 id={`${name}-title`} tabIndex={-1} autofocus>
            {title}
          </h2>
          <button
            type="button"
            class="round"
            data-testid={`${name}-close`}
            aria-label={t("app.close")}
            onClick={() => dialog.current?.close()}
          >
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
