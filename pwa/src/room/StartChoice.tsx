/** What was started, or how much longer it takes, if the resident knows: one tap sends. */

import { useSignal } from "@preact/signals";
import { t } from "../state/signals";
import { Sheet } from "../ui/Sheet";
import { tables } from "../wire/tables";
import type { CommandParams, MachineView, Programme } from "../wire/types";

const USUAL_MIN: readonly number[] = [30, 45, 60, 90];
const MORE_MIN: readonly number[] = [5, 10, 15];

interface Props {
  machine: MachineView;
  send(params: CommandParams): void;
  close(): void;
}

export function StartChoice({ machine, programmes, send, close }: Props & { programmes: Programme[] }) {
  const seen = machine.sensor === "ok";
  return (
    <Sheet name={`start-${machine.machine}`} title={t("start.of", { name: machine.name })} close={close}>
      <div class="start" data-testid="start-choice">
        <button
          type="button"
          class={seen ? "primary choice-line" : "choice-line"}
          data-minutes="none"
          onClick={() => send({})}
        >
          <span>{t(seen ? "start.none" : "start.none_unseen")}</span>
          <span class="hint">{t(seen ? "hint.start.seen" : "hint.start.unseen")}</span>
        </button>
        {programmes.length > 0 && (
          <div role="group" aria-labelledby={`programmes-${machine.machine}`}>
            <p class="question" id={`programmes-${machine.machine}`}>
              {t("start.programmes")}
            </p>
            <ul class="programmes">
              {programmes.map(({ programme, name, minutes }) => (
                <li key={programme}>
                  <button type="button" data-programme={programme} onClick={() => send({ programme })}>
                    <span>{name}</span>
                    <span class="minutes">{t("start.minutes", { minutes })}</span>
                  </button>
                </li>
              ))}
            </ul>
          </div>
        )}
        <p class="question" id={`usual-${machine.machine}`}>
          {t(programmes.length > 0 ? "start.or_minutes" : "start.title")}
        </p>
        <div class="chips" role="group" aria-labelledby={`usual-${machine.machine}`}>
          {USUAL_MIN.map((minutes) => (
            <button type="button" key={minutes} data-minutes={minutes} onClick={() => send({ minutes })}>
              {t("start.minutes", { minutes })}
            </button>
          ))}
        </div>
        <TypedMinutes machine={machine.machine} send={send} />
      </div>
    </Sheet>
  );
}

function TypedMinutes({ machine, send }: { machine: string; send: Props["send"] }) {
  const typed = useSignal("");
  const id = `minutes-${machine}`;
  return (
    <form
      class="typed"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.value !== "") send({ minutes: Number(typed.value) });
      }}
    >
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
      <button data-minutes="typed" disabled={typed.value === ""}>
        {t("start.send")}
      </button>
    </form>
  );
}

export function ExtendChoice({ machine, send, close }: Props) {
  const finished = machine.phase === "finished";
  return (
    <Sheet name={`extend-${machine.machine}`} title={machine.name} close={close}>
      <div class="start" data-testid="extend-choice">
        <p class="question" id={`more-minutes-${machine.machine}`}>
          {t(finished ? "extend.title.finished" : "extend.title")}
        </p>
        <div class="chips three" role="group" aria-labelledby={`more-minutes-${machine.machine}`}>
          {MORE_MIN.map((minutes) => (
            <button type="button" key={minutes} data-extend={minutes} onClick={() => send({ minutes })}>
              {t("extend.minutes", { minutes })}
            </button>
          ))}
        </div>
      </div>
    </Sheet>
  );
}
