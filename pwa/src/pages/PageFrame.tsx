/** A page over the room: the way back, a title, what concerns the resident now, and its own content. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { NoticeList } from "../notices/NoticeList";
import { Banners } from "../room/Banners";
import { t } from "../state/signals";
import { Icon } from "../ui/icons";
import { closePage } from "./page";
import type { PageName } from "./route";

export function PageFrame(props: { name: PageName; title: string; children: ComponentChildren }) {
  const { name, title, children } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  // What had the focus is gone with the page before: readers begin with the title.
  useEffect(() => {
    window.scrollTo(0, 0);
    heading.current?.focus();
  }, [name]);
  return (
    <>
      <header class="bar">
        <button
          type="button"
          class="round"
          data-testid="page-back"
          aria-label={t("app.back")}
          onClick={closePage}
        >
          <Icon name="back" />
        </button>
        <div class="where">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
        </div>
      </header>
      <main class="page" data-page={name}>
        <Banners />
        <NoticeList />
        {children}
      </main>
    </>
  );
}
