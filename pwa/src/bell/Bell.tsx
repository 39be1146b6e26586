/** The bell's button in the bar, and the line over the room that says what it means. */

import { openPage } from "../pages/page";
import { t } from "../state/signals";
import type { TextKey } from "../texts/texts";
import { Icon } from "../ui/icons";
import { bell, renew, switchOff, switchOn } from "./bell";
import type { BellState } from "./decide";
import { BellTrouble } from "./Help";
import { bellWords, switchWords } from "./words";

const LABELS: Record<BellState, TextKey> = {
  off: "bell.off_action",
  asking: "bell.asking",
  on: "bell.on_action",
  blocked: "bell.blocked",
  impossible: "menu.bell",
};

/** Taps switch it; where it cannot be switched they lead to the page that says why. */
export function BellButton() {
  const { state } = bell.value;
  const tap = () => {
    if (state === "off") void switchOn();
    else if (state === "on") void switchOff();
    else if (state !== "asking") openPage("bell");
  };
  return (
    <button
      type="button"
      class={`round bell ${state}`}
      data-bell={state}
      aria-label={t(LABELS[state])}
      aria-busy={state === "asking"}
      onClick={tap}
    >
      <Icon name={state === "on" || state === "asking" ? "bell_on" : "bell_off"} />
    </button>
  );
}

/** Shown where a tap would help: it is off, went silent, ends soon, or is blocked. */
export function BellLine() {
  const now = bell.value;
  if (now.state === "impossible" && now.why !== "home_screen") return null;
  if (now.state === "on" && now.ends_at_ms === null && now.failure === null) return null;
  const is_bad = now.state === "off" && now.why === "lost";
  return (
    <div class={`bell-line ${is_bad ? "bad" : "offer"}`} data-bell-line={now.state}>
      <span role={is_bad ? "alert" : undefined}>{bellWords(now)}</span>
      {(now.state === "blocked" || now.state === "impossible") && (
        <button type="button" data-testid="bell-help" onClick={() => openPage("bell")}>
          {t("bell.why_help")}
        </button>
      )}
      <BellSwitch testid="bell-on" />
      <BellTrouble />
    </div>
  );
}

/** The button that helps: on, on again, renew; off only where `both`. */
export function BellSwitch({ testid, both = false }: { testid: string; both?: boolean }) {
  const now = bell.value;
  if (now.state === "off") {
    return (
      <button type="button" class={both ? "primary" : ""} data-testid={testid} onClick={() => void switchOn()}>
        {switchWords(now)}
      </button>
    );
  }
  if (now.state !== "on") return null;
  return (
    <>
      {now.ends_at_ms !== null && (
        <button type="button" data-testid="bell-renew" onClick={() => void renew()}>
          {t("bell.renew")}
        </button>
      )}
      {both && (
        <button type="button" data-testid="bell-off" onClick={() => void switchOff()}>
          {t("bell.on_action")}
        </button>
      )}
    </>
  );
}
