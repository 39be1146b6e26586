/** What a close code asks of the page. Pure. */

import { tables } from "../wire/tables";

/** The same session connected elsewhere: a copied tab. This page goes on as a session of its own. */
export const REPLACED = 4505;

/** Whether a client that saw `code` should come back by itself. */
export function mayReconnect(code: number): boolean {
  return tables.reconnect_codes.some(([first, last]) => first <= code && code <= last);
}
