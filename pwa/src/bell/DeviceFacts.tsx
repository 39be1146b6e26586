/** What is known of a device that rings, or rang: for its owner, and for the staff that they ask. */

import { wordsFor, type Reader } from "../notices/history";
import { lang, now_ms, t } from "../state/signals";
import { dateWords, fill, momentWords, type Params, type TextKey } from "../texts/texts";
import type { MySubscription } from "../wire/types";
import { WARNED_BEFORE_MS } from "./decide";
import { faultClass } from "./faults";

export function DeviceFacts({ device, reader }: { device: MySubscription; reader: Reader }) {
  const { name, here, lost, fault } = device;
  const ends_ms = device.expires_at === null ? null : Date.parse(device.expires_at);
  const ends_soon = ends_ms !== null && ends_ms - Date.now() < WARNED_BEFORE_MS;
  const when = (at: string) => momentWords(lang.value, Date.parse(at), now_ms.value);
  const said = (key: TextKey, params: Params) =>
    fill(wordsFor(lang.value, key, reader) ?? t(key), params);
  return (
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
      {lost && fault && <p class="trouble">{said("device.lost", { time: when(fault.at) })}</p>}
      {!lost && fault && (
        <p class="trouble" data-fault={fault.kind}>
          {t("device.fault", {
            time: when(fault.at),
            what: said(`fault_kind.${faultClass(fault.kind)}`, { kind: fault.kind }),
          })}
        </p>
      )}
      {ends_soon && ends_ms !== null && (
        <p class="trouble">{said("device.ends", { date: dateWords(lang.value, ends_ms) })}</p>
      )}
    </div>
  );
}
