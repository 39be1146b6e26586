/** Room time on this page: what the server said, carried on by our own clock. Pure. */

import type { RoomClock } from "../wire/types";

export interface PageClock {
  /** Room time, ms since 1970, when the page's clock showed `page_ms`. */
  room_ms: number;
  page_ms: number;
  speed: number;
}

export function clockFrom(said: RoomClock, page_ms: number): PageClock {
  return { room_ms: Date.parse(said.at), page_ms, speed: said.speed };
}

/** Room time, ms since 1970, when the page's clock shows `page_ms`. */
export function roomNow_ms(clock: PageClock, page_ms: number): number {
  return clock.room_ms + (page_ms - clock.page_ms) * clock.speed;
}
