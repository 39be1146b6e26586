/** Where frames of the page go: the live connection, once there is one. */

import type { ClientFrame } from "../wire/types";

type Sender = (frame: ClientFrame) => boolean;

let sender: Sender = () => false;

export function setSender(send: Sender): void {
  sender = send;
}

/** Send if the connection is live; false: it was not sent. */
export function sendLive(frame: ClientFrame): boolean {
  return sender(frame);
}
