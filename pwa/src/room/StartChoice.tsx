/** How long the programme runs, if the resident knows: one tap sends. */

import { useSignal } from "@preact/signals";
import { t } from "../state/signals";
import { tables } from "../wire/tables";

const USUAL_MIN: readonly number[] = [30, 45, 60, 90];

interface Props {
  machine: string;
  send(minutes: number | null): void;
  cancel(): void;
}

export function StartChoice({ machine, send, cancel }: Props) {
  const typed = useSignal("");
  const id = `minutes-${machine}`;
  return (
    <form
      class="start"
      data-testid="start-choice"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.value !== "") send(Number(typed.value));
      }}
    >
      <p class="question">{t("start.title")}</p>
      <div class="chips">
        <button type="button" data-minutes="none" onClick={() => send(null)}>
          {t("start.none")}
        </button>
        {USUAL_MIN.map((minutes) => (
          <button type="button" key={minutes} data-minutes={minutes} onClick={() => send(minutes)}>
            {t("start.minutes", { minutes })}
          </button>
        ))}
      </div>
      <div class="typed">
        <label for={id}>{t("start.typed")}</label>
        <input
          id={id}
          data-testid="start-minutes"
          type="number"
          inputMode="numeric"
          min={1}
          max={tables.max_programme_min}
          step={1}
          value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value)}
        />
        <button class="primary" data-minutes="typed" disabled={typed.value === ""}>
          {t("start.send")}
        </button>
        <button type="button" data-testid="start-cancel" onClick={cancel}>
          {t("app.close")}
        </button>
      </div>
    </form>
  );
}
