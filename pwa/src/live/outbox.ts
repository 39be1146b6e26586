/** Where what the page says goes: the live connection, once there is one. */

import type { ClientFrame } from "../wire/types";
import type { AckKind } from "./following/acks";

export interface Outbox {
  /** Send if the connection is live; false: it was not sent. */
  send(frame: ClientFrame): boolean;
  /** Tell the server that notices were shown or read, now or as soon as it can be told. */
  acknowledge(kind: AckKind, ids: readonly string[]): void;
}

let outbox: Outbox = { send: () => false, acknowledge: () => undefined };

export function setOutbox(to: Outbox): void {
  outbox = to;
}

export function sendLive(frame: ClientFrame): boolean {
  return outbox.send(frame);
}

export function acknowledgeLive(kind: AckKind, ids: readonly string[]): void {
  outbox.acknowledge(kind, ids);
}
