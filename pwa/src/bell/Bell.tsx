/** The bell's button in the bar, and the line that says what it means. */

import { atRelay, t } from "../state/signals";
import type { TextKey } from "../texts/texts";
import { Icon } from "../ui/icons";
import { bell, bellFailed, switchOff, switchOn, type BellState } from "./bell";

const LABELS: Record<BellState, TextKey> = {
  off: "bell.off_action",
  asking: "bell.asking",
  on: "bell.on_action",
  blocked: "bell.blocked",
  impossible: "bell.impossible",
};

/** Taps switch it; where it cannot be switched they open the line that says why. */
export function BellButton({ toggleLine }: { toggleLine(): void }) {
  const state = bell.value;
  const tap = () => {
    if (state === "off") void switchOn();
    else if (state === "on") void switchOff();
    else toggleLine();
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

/** Shown by itself where a tap would help; else when it is asked for. */
export function BellLine({ open }: { open: boolean }) {
  const state = bell.value;
  if (bellFailed.value) {
    return (
      <p class="bell-line bad" role="alert">
        {t("bell.failed")}
      </p>
    );
  }
  if (state === "off" || state === "asking") {
    return (
      <p class="bell-line offer">
        <span>{t(state === "off" ? "bell.off" : "bell.asking")}</span>
        {state === "off" && (
          <button type="button" data-testid="bell-on" onClick={() => void switchOn()}>
            {t("bell.off_action")}
          </button>
        )}
      </p>
    );
  }
  if (!open) return null;
  return (
    <p class="bell-line" role="status">
      {t(state === "impossible" && needsHomeScreen() ? "bell.home_screen" : `bell.${state}`)}
    </p>
  );
}

/** iPhones and iPads have push only in an app on the Home Screen, and only from a secure context. */
function needsHomeScreen(): boolean {
  const apple = /iPhone|iPad/.test(navigator.userAgent);
  return apple && atRelay.value && window.isSecureContext && !("PushManager" in window);
}
