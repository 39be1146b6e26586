/** The page of staff: write an announcement, and see what became of those before. */

import { useEffect } from "preact/hooks";
import { LangSwitch } from "../menu/LangSwitch";
import { lang, t } from "../state/signals";
import { errorText } from "../texts/texts";
import { AnnouncementForm } from "./AnnouncementForm";
import { AnnouncementList } from "./AnnouncementList";
import { asking, leaveStaff, refresh, staff, staffProblem } from "./staff";

/** Counts move while pushes go out. */
const REFRESH_MS = 10_000;

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
      <main class="staff" data-testid="staff">
        <AnnouncementForm rooms={who.rooms} />
        <AnnouncementList rooms={who.rooms} />
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

/** Why the last thing was refused. */
export function StaffProblem() {
  const said = staffProblem.value;
  return (
    <div role="alert" data-problem={said?.code}>
      {said && <p class="banner bad">{errorText(lang.value, said.code)}</p>}
    </div>
  );
}
