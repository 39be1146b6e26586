/** The pages of staff: announcements, and why a resident was not told. */

import { useEffect } from "preact/hooks";
import { LangSwitch } from "../menu/LangSwitch";
import { t } from "../state/signals";
import type { StaffMe } from "../wire/types";
import { AnnouncementForm } from "./AnnouncementForm";
import { AnnouncementList } from "./AnnouncementList";
import { LookUpPage } from "./LookUpPage";
import { place } from "./looking";
import { StaffProblem } from "./StaffProblem";
import { staff } from "./signed_in";
import { asking, leaveStaff, refresh } from "./staff";
import { hashOfPlace, type StaffView } from "./views";

/** Counts move, and notices go their way, while pushes go out. */
const REFRESH_MS = 10_000;
const VIEWS: readonly StaffView[] = ["announce", "told"];

export function StaffScreen() {
  const who = staff.value;
  useEffect(() => {
    const timer = setInterval(() => {
      if (staff.value !== null && document.visibilityState === "visible") void refresh();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  if (who === null) return <SignedOut />;
  return (
    <>
      <header class="bar">
        <div class="where">
          <h1>{t("staff.title")}</h1>
          <p class="connected">{t("staff.signed_in", { name: who.name })}</p>
        </div>
      </header>
      <nav class="views" aria-label={t("staff.views")}>
        {VIEWS.map((view) => (
          <a
            key={view}
            href={hashOfPlace({ view, resident: null })}
            data-view={view}
            aria-current={view === place.value.view ? "page" : undefined}
          >
            {t(`staff.view_${view}`)}
          </a>
        ))}
      </nav>
      <main class="staff" data-testid="staff" data-view-shown={place.value.view}>
        <View who={who} />
        <footer>
          <LangSwitch />
          <a href="/">{t("staff.to_room")}</a>
          <button type="button" data-testid="staff-leave" onClick={() => void leaveStaff()}>
            {t("staff.leave")}
          </button>
        </footer>
      </main>
    </>
  );
}

function View({ who }: { who: StaffMe }) {
  if (place.value.view === "told") return <LookUpPage rooms={who.rooms} />;
  return (
    <>
      <AnnouncementForm rooms={who.rooms} />
      <AnnouncementList rooms={who.rooms} />
    </>
  );
}

function SignedOut() {
  return (
    <main class="narrow" data-testid="staff-out">
      <h1>{t("staff.title")}</h1>
      {asking.value ? <p>{t("app.loading")}</p> : <StaffProblem />}
      {!asking.value && <p class="intro">{t("staff.how_in")}</p>}
      <a href="/">{t("staff.to_room")}</a>
      <LangSwitch />
    </main>
  );
}
