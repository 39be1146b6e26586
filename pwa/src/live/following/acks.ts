/**
 * Acknowledgements that the server may not have got yet. Pure.
 *
 * The server takes a connection's frames in order, so a pong says that everything before its ping
 * arrived. What no pong has confirmed is sent again after a reconnect; twice is one.
 */

import type { Ack, Read } from "../../wire/types";

/** `ack`: rendered on a visible page; `read`: opened or dismissed. */
export type AckKind = "ack" | "read";

/** Unconfirmed ids that are kept; a resident gets some ten notices a day. */
const KEPT_MAX = 1_000;
/** As many as the contract allows. */
const IDS_A_FRAME = 100;

interface Told {
  kind: AckKind;
  /** Pings that went before it over this connection; null: not sent over this connection. */
  after_pings: number | null;
}

export class Acks {
  #told = new Map<string, Told>();
  #pings = 0;
  #pongs = 0;

  /** Take ids to tell; that something was read says that it was shown. */
  add(kind: AckKind, ids: readonly string[]): void {
    for (const id of ids) {
      const wasRead = this.#told.get(id)?.kind === "read";
      this.#told.delete(id);
      this.#told.set(id, { kind: wasRead ? "read" : kind, after_pings: null });
    }
    for (const id of this.#told.keys()) {
      if (this.#told.size <= KEPT_MAX) return;
      this.#told.delete(id);
    }
  }

  /** Begin anew on a new connection: nothing was said over it yet. */
  connected(): void {
    this.#pings = this.#pongs = 0;
    for (const told of this.#told.values()) told.after_pings = null;
  }

  pinged(): void {
    this.#pings += 1;
  }

  /** The answer to a ping came: everything sent before it has arrived. */
  ponged(): void {
    this.#pongs += 1;
    for (const [id, told] of this.#told) {
      if (told.after_pings !== null && told.after_pings < this.#pongs) this.#told.delete(id);
    }
  }

  /** The frames that tell what was not told over this connection; they count as sent. */
  toSend(): (Ack | Read)[] {
    const found: (Ack | Read)[] = [];
    for (const type of ["ack", "read"] as const) {
      const fresh = [...this.#told].filter(
        ([, told]) => told.kind === type && told.after_pings === null,
      );
      const ids = fresh.map(([id]) => id);
      for (let start = 0; start < ids.length; start += IDS_A_FRAME) {
        found.push({ type, notice_ids: ids.slice(start, start + IDS_A_FRAME) });
      }
      for (const [, told] of fresh) told.after_pings = this.#pings;
    }
    return found;
  }
}
