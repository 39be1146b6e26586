/** Which screen is up. */

import { JoinScreen } from "./join/JoinScreen";
import { LocalPages } from "./menu/LocalPages";
import { page } from "./pages/page";
import { Page } from "./pages/Page";
import { RoomScreen } from "./room/RoomScreen";
import { StaffScreen } from "./staff/StaffScreen";
import { isAwaited, tryAgain } from "./state/session";
import { connection, screen, t } from "./state/signals";

export function App() {
  return (
    <div class="app" data-screen={screen.value} data-connection={connection.value}>
      <Screen />
    </div>
  );
}

function Screen() {
  switch (screen.value) {
    case "starting":
      return <p class="centre">{t("app.loading")}</p>;
    case "join":
      return <JoinScreen />;
    case "room":
      return page.value === null ? <RoomScreen /> : <Page name={page.value} />;
    case "staff":
      return <StaffScreen />;
    case "away":
      return (
        <main class="narrow">
          <h1>laundryd</h1>
          <p class="banner bad" role="status">
            {t(isAwaited() ? "error.roster_awaited" : "connection.offline")}
          </p>
          <button type="button" class="primary" onClick={tryAgain}>
            {t("app.retry")}
          </button>
          <LocalPages />
        </main>
      );
  }
}
