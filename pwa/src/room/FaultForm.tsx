/** A fault in the resident's own words; what was written stays until the room has taken it. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { command, place, refusals, underWay } from "../state/commands";
import { lang, t } from "../state/signals";
import { Icon } from "../ui/icons";
import { Sheet } from "../ui/Sheet";
import type { MachineView } from "../wire/types";
import { refusalText } from "./answers";
import { FAULT_TEXT_MAX, FAULT_TEXT_MIN, faultText } from "./fault";

interface Props {
  room: string;
  machine: MachineView;
  close(): void;
}

export function FaultForm({ room, machine, close }: Props) {
  const sent = useSignal(false);
  return (
    <Sheet
      name={`fault-${machine.machine}`}
      title={t("fault.title", { name: machine.name })}
      close={close}
    >
      {sent.value ? (
        <Sent close={close} />
      ) : (
        <Form room={room} machine={machine} sent={() => (sent.value = true)} />
      )}
    </Sheet>
  );
}

function Form({ room, machine, sent }: { room: string; machine: MachineView; sent(): void }) {
  const typed = useSignal("");
  const tried = useSignal(false);
  const { text, count, problem } = faultText(typed.value);
  const at = place(room, machine.machine);
  const busy = underWay.value.has(at);
  const refused = refusals.value.get(at);
  const id = `fault-text-${machine.machine}`;
  // Too short is said only to who has tried to send it: everybody begins with nothing.
  const wrong = problem === "too_long" || (tried.value && problem !== null) ? problem : null;
  async function send() {
    tried.value = true;
    if (problem === null && (await command(room, machine.machine, "report_fault", { text }))) sent();
  }
  return (
    <form
      class="fault"
      data-testid="fault-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {machine.fault_reported_at !== null && <p class="hint">{t("fault.already")}</p>}
      <label for={id}>{t("fault.label")}</label>
      <textarea
        id={id}
        data-testid="fault-text"
        rows={3}
        placeholder={t("fault.example")}
        aria-invalid={wrong !== null}
        aria-describedby={`${id}-count ${id}-next`}
        value={typed.value}
        onInput={(event) => (typed.value = event.currentTarget.value)}
      />
      <p class={wrong === null ? "count" : "count wrong"} id={`${id}-count`} role="status">
        <span>
          {wrong !== null && t(`fault.${wrong}`, { min: FAULT_TEXT_MIN, max: FAULT_TEXT_MAX })}
        </span>
        <span>{t("fault.count", { count, max: FAULT_TEXT_MAX })}</span>
      </p>
      <p class="hint" id={`${id}-next`}>
        {t("fault.next")}
      </p>
      <p class="refusal" role="alert" data-refusal={refused?.code}>
        {refused && refusalText(lang.value, refused)}
      </p>
      <button class="primary" data-testid="fault-send" aria-disabled={busy}>
        {t(busy ? "command.busy" : "fault.send")}
      </button>
    </form>
  );
}

function Sent({ close }: { close(): void }) {
  const done = useRef<HTMLButtonElement>(null);
  // The form that had the focus is gone.
  useEffect(() => done.current?.focus(), []);
  return (
    <div class="fault" data-testid="fault-sent">
      <p class="sent" role="status">
        <Icon name="free" />
        <span>{t("fault.sent")}</span>
      </p>
      <button type="button" class="primary" ref={done} data-testid="fault-done" onClick={close}>
        {t("app.close")}
      </button>
    </div>
  );
}
