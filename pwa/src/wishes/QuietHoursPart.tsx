/** Quiet hours: whether, from when until when, and by whose clock. */

import { useSignal } from "@preact/signals";
import { t } from "../state/signals";
import type { QuietHours } from "../wire/types";
import { keepWishes } from "./saving";
import { exactly, firstNight, quietMinutes, zonesOf, type Wishes } from "./wishes";

const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone as string | undefined;
/** Older browsers do not list them. */
const knownZones = () => Intl.supportedValuesOf?.("timeZone") ?? [];

export function QuietHoursPart({ wishes }: { wishes: Wishes }) {
  /** What is being typed and cannot be kept yet. */
  const typed = useSignal<QuietHours | null>(null);
  const quiet = typed.value ?? wishes.quiet;

  function change(next: QuietHours | null) {
    if (next !== null && quietMinutes(next) === null) {
      typed.value = next;
      return;
    }
    typed.value = null;
    void keepWishes({ ...wishes, quiet: next });
  }

  return (
    <section aria-labelledby="quiet-title" data-quiet={quiet === null ? "off" : "on"}>
      <h2 id="quiet-title">{t("quiet.title")}</h2>
      <label class="option">
        <input
          type="checkbox"
          data-testid="quiet-on"
          checked={quiet !== null}
          onChange={(event) => change(event.currentTarget.checked ? firstNight(ownZone()) : null)}
        />
        <span>{t("quiet.on")}</span>
      </label>
      {quiet !== null && <Hours quiet={quiet} change={change} />}
      <p class="hint">{t("quiet.hint")}</p>
    </section>
  );
}

function Hours({ quiet, change }: { quiet: QuietHours; change(next: QuietHours): void }) {
  const minutes = quietMinutes(quiet);
  return (
    <div class="hours">
      <label>
        {t("quiet.begin")}
        <input
          type="time"
          data-testid="quiet-begin"
          required
          value={quiet.begin}
          aria-invalid={minutes === null}
          onChange={(event) => change({ ...quiet, begin: event.currentTarget.value })}
        />
      </label>
      <label>
        {t("quiet.end")}
        <input
          type="time"
          data-testid="quiet-end"
          required
          value={quiet.end}
          aria-invalid={minutes === null}
          onChange={(event) => change({ ...quiet, end: event.currentTarget.value })}
        />
      </label>
      <label class="zone">
        {t("quiet.zone")}
        <select
          data-testid="quiet-zone"
          value={quiet.zone}
          onChange={(event) => change({ ...quiet, zone: event.currentTarget.value })}
        >
          {zonesOf(knownZones(), ownZone(), quiet.zone).map((zone) => (
            <option key={zone} value={zone}>
              {zone.replaceAll("_", " ")}
            </option>
          ))}
        </select>
      </label>
      <p class={minutes === null ? "refusal" : "hint"} role="status">
        {minutes === null ? t("quiet.same") : lengthWords(minutes, quiet.zone)}
      </p>
    </div>
  );
}

function lengthWords(minutes: number, zone: string): string {
  const { key, count, rest } = exactly(minutes);
  return t("quiet.length", { length: t(key, { count, rest }), zone: zone.replaceAll("_", " ") });
}
