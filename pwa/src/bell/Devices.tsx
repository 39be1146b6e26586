/** Every device of the resident that rings, or rang: when it was seen, what went wrong, and away with it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { removeSubscription } from "../api/calls";
import { codeOf } from "../api/http";
import { lang, now_ms, t } from "../state/signals";
import { dateWords, errorText, momentWords } from "../texts/texts";
import type { MySubscription } from "../wire/types";
import { bell, switchOff } from "./bell";
import { devices, loadDevices, problem } from "./list";
import { WARNED_BEFORE_MS } from "./decide";
import { faultWords } from "./words";

export function Devices() {
  const removed = useSignal(false);
  const { state } = bell.value;
  // This one came, went, or was renewed.
  useEffect(() => void loadDevices(), [state]);

  async function remove({ id, here }: MySubscription) {
    removed.value = false;
    try {
      if (here && state === "on") await switchOff();
      else await removeSubscription(id);
      removed.value = true;
    } catch (error) {
      problem.value = codeOf(error);
    }
    await loadDevices();
  }

  const found = devices.value;
  return (
    <section aria-labelledby="devices-title">
      <h2 id="devices-title">{t("device.title")}</h2>
      <div role="status">
        {problem.value !== null && (
          <p class="banner bad" data-problem={problem.value}>
            {errorText(lang.value, problem.value)}
          </p>
        )}
        {removed.value && <p class="result">{t("device.removed")}</p>}
        {found?.length === 0 && <p class="hint">{t("device.none")}</p>}
      </div>
      <ul class="devices">
        {found?.map((device) => (
          <Device key={device.id} device={device} remove={() => void remove(device)} />
        ))}
      </ul>
    </section>
  );
}

function Device({ device, remove }: { device: MySubscription; remove(): void }) {
  const { name, here, lost, fault } = device;
  const ends_ms = device.expires_at === null ? null : Date.parse(device.expires_at);
  const ends_soon = ends_ms !== null && ends_ms - Date.now() < WARNED_BEFORE_MS;
  const when = (at: string) => momentWords(lang.value, Date.parse(at), now_ms.value);
  return (
    <li class="device" data-device={device.id} data-lost={lost} data-here={here}>
      <div>
        <h3>
          {name}
          {here && <span class="tag">{t("device.here")}</span>}
        </h3>
        <p class="hint">
          {t("device.since", { date: dateWords(lang.value, Date.parse(device.created_at)) })}
          {" · "}
          {t("device.seen", { time: when(device.seen_at) })}
          {device.sent_at !== null && ` · ${t("device.sent", { time: when(device.sent_at) })}`}
        </p>
        {lost && fault && <p class="trouble">{t("device.lost", { time: when(fault.at) })}</p>}
        {!lost && fault && (
          <p class="trouble" data-fault={fault.kind}>
            {t("device.fault", { time: when(fault.at), what: faultWords(fault.kind) })}
          </p>
        )}
        {ends_soon && ends_ms !== null && (
          <p class="trouble">{t("device.ends", { date: dateWords(lang.value, ends_ms) })}</p>
        )}
      </div>
      <button
        type="button"
        class="small"
        data-testid="device-remove"
        aria-label={t("device.remove_named", { name })}
        onClick={remove}
      >
        {t("device.remove")}
      </button>
    </li>
  );
}
