/** The way to a room's own page: with a new voucher, or with the kept one when the relay is away. */

import { useSignal } from "@preact/signals";
import { codeOf } from "../api/http";
import { atRelay, lang, me, t } from "../state/signals";
import { errorText } from "../texts/texts";
import type { MyRoom } from "../wire/types";
import { keptVouchers, localAddress, newVoucher } from "./vouchers";

export function LocalPages() {
  const problem = useSignal<string | null>(null);
  const rooms = reachable();
  if (rooms.length === 0) return null;

  async function open(room: MyRoom) {
    problem.value = null;
    let voucher = keptVouchers().find((kept) => kept.room === room.room);
    try {
      voucher = await newVoucher(room);
    } catch (error) {
      if (voucher === undefined) problem.value = codeOf(error);
    }
    const address = voucher === undefined ? null : localAddress(voucher);
    if (address !== null) location.assign(address);
    else problem.value ??= "not_found";
  }

  return (
    <section class="menu-part">
      {rooms.map((room) => (
        <button type="button" key={room.room} data-testid="local-page" onClick={() => void open(room)}>
          {t("menu.local")}
          {rooms.length > 1 && `: ${room.name}`}
        </button>
      ))}
      <p class="hint">{t("menu.local_hint")}</p>
      <p class="refusal" role="alert">
        {problem.value && errorText(lang.value, problem.value)}
      </p>
    </section>
  );
}

/** Rooms with a page of their own: those of the relay's answer, or those whose voucher we keep. */
function reachable(): MyRoom[] {
  if (me.value !== null) {
    return atRelay.value ? me.value.rooms.filter((room) => room.local_url !== null) : [];
  }
  return keptVouchers();
}
