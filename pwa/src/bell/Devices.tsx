/** Every device of the resident that rings, or rang: when it was seen, what went wrong, and away with it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { removeSubscription } from "../api/calls";
import { codeOf } from "../api/http";
import { lang, t } from "../state/signals";
import { errorText } from "../texts/texts";
import type { MySubscription } from "../wire/types";
import { bell, switchOff } from "./bell";
import { DeviceFacts } from "./DeviceFacts";
import { devices, loadDevices, problem } from "./list";

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
  const { id, name, here, lost } = device;
  return (
    <li class="device" data-device={id} data-lost={lost} data-here={here}>
      <DeviceFacts device={device} reader="resident" />
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
