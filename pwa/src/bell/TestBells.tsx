/** "Send me a test": one push to each of the resident's devices, and what came of each. */

import { useSignal } from "@preact/signals";
import { testBells } from "../api/calls";
import { Refusal, codeOf } from "../api/http";
import { lang, now_ms, t } from "../state/signals";
import { errorText, timeOfDay } from "../texts/texts";
import { Icon } from "../ui/icons";
import type { Tried } from "../wire/types";
import { lostHere } from "./bell";
import { loadDevices } from "./list";

const MINUTE_MS = 60_000;

export function TestBells() {
  const busy = useSignal(false);
  const tried = useSignal<readonly Tried[] | null>(null);
  const refused = useSignal<string | null>(null);

  async function send() {
    if (busy.value) return;
    busy.value = true;
    refused.value = tried.value = null;
    try {
      tried.value = (await testBells()).tried;
      if (tried.value.some(({ here, outcome }) => here && outcome === "dead")) lostHere();
      void loadDevices();
    } catch (error) {
      refused.value = refusedWords(error);
    }
    busy.value = false;
  }

  return (
    <section class="panel" aria-labelledby="test-title">
      <h2 id="test-title">{t("test.title")}</h2>
      <p class="hint">{t("test.hint")}</p>
      <button
        type="button"
        class="primary"
        data-testid="bell-test"
        aria-disabled={busy.value}
        onClick={() => void send()}
      >
        {t(busy.value ? "test.busy" : "test.send")}
      </button>
      <p class="refusal" role="alert">
        {refused.value}
      </p>
      <div role="status">{tried.value !== null && <Outcomes tried={tried.value} />}</div>
    </section>
  );
}

function Outcomes({ tried }: { tried: readonly Tried[] }) {
  if (tried.length === 0) return <p>{t("test.none")}</p>;
  return (
    <>
      <ul class="tried">
        {tried.map(({ id, name, here, outcome, kind }) => (
          <li key={id} class={outcome} data-tried={outcome} data-here={here}>
            <Icon name={outcome === "accepted" ? "free" : "out_of_order"} />
            <span>
              <b>{name}</b> {t(`test.${outcome}`, { kind })}
            </span>
          </li>
        ))}
      </ul>
      {tried.some(({ outcome }) => outcome === "accepted") && <p class="hint">{t("test.not_shown")}</p>}
    </>
  );
}

function refusedWords(error: unknown): string {
  const wait_s = error instanceof Refusal ? error.retry_after_s : null;
  if (wait_s === null) return errorText(lang.value, codeOf(error));
  // Upwards: at the time that is named it works.
  const at_ms = Math.ceil((now_ms.value + wait_s * 1_000) / MINUTE_MS) * MINUTE_MS;
  return t("refused.later", { time: timeOfDay(lang.value, at_ms) });
}
