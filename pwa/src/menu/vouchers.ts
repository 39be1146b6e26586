/** Vouchers for the rooms' own pages, kept so that they open when the relay is out of reach. */

import { makeVoucher } from "../api/calls";
import { atRelay, lang, me } from "../state/signals";
import type { MyRoom, Voucher } from "../wire/types";

const KEY = "laundryd.vouchers";

export interface KeptVoucher extends Voucher {
  /** Whose it is: somebody else may have joined in this browser since. */
  resident: string | null;
  room: string;
  name: string;
  /** Real time, ms since 1970. */
  got_at_ms: number;
}

/** Vouchers that still open something, of whoever is in; of the last one while the relay is away. */
export function keptVouchers(): KeptVoucher[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]") as KeptVoucher[];
    const who = me.value?.resident;
    return kept.filter(
      ({ resident, expires_at }) =>
        (who === undefined || resident === who) && Date.parse(expires_at) > Date.now(),
    );
  } catch {
    return [];
  }
}

/** Get new vouchers where there is none, or where half of its time is over. */
export async function renewVouchers(rooms: readonly MyRoom[]): Promise<void> {
  if (!atRelay.value) return;
  for (const room of rooms) {
    const kept = keptVouchers().find((voucher) => voucher.room === room.room);
    if (room.local_url === null || (kept && !isHalfOver(kept))) continue;
    await newVoucher(room).catch(() => undefined); // The next start tries again.
  }
}

export async function newVoucher(room: MyRoom): Promise<KeptVoucher> {
  const voucher: KeptVoucher = {
    ...(await makeVoucher(room.room)),
    resident: me.value?.resident ?? null,
    room: room.room,
    name: room.name,
    got_at_ms: Date.now(),
  };
  const others = keptVouchers().filter((kept) => kept.room !== room.room);
  localStorage.setItem(KEY, JSON.stringify([...others, voucher]));
  return voucher;
}

/** The address that opens the room's own page; null when it is not known, or no web address. */
export function localAddress(voucher: Voucher): string | null {
  if (voucher.local_url === null || !URL.canParse(voucher.local_url)) return null;
  const url = new URL(voucher.local_url);
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  url.hash = `voucher=${voucher.token}&lang=${lang.value}`;
  return url.href;
}

function isHalfOver(voucher: KeptVoucher): boolean {
  return Date.now() > (voucher.got_at_ms + Date.parse(voucher.expires_at)) / 2;
}
