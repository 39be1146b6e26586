/** What the client's decisions ask its I/O to do, in the order given. */

import type { ClientFrame, PagePosition, PublicEvent, RoomSnapshot } from "../../wire/types";

/** `offline`: five tries have failed, it goes on trying. `stopped`: ended for good. */
export type ConnectionState = "connecting" | "live" | "offline" | "stopped";

export type Action =
  /** Open a new connection; say `opened` or `closed` of it. */
  | { do: "connect" }
  /** Forget the connection, open or opening; nothing it still says counts. */
  | { do: "drop" }
  | { do: "send"; frame: ClientFrame }
  /** GET the room and say `got` or `getFailed`; `at_least`: where it is known to have stood already. */
  | { do: "get"; room: string; at_least: PagePosition | null }
  /** Find out by HTTP whether the server still lets us in, and say `why`. */
  | { do: "ask_why" }
  | { do: "show"; state: ConnectionState }
  /**
   * The whole room, as fetched. `is_older`: it comes late and is from before the events that were
   * applied; of it counts only what no event tells. Otherwise it replaces the room, even one that stood
   * further: the server may have been restored from a backup.
   */
  | { do: "take"; snapshot: RoomSnapshot; is_older: boolean }
  /** The room's next event: each once, in order. */
  | { do: "apply"; event: PublicEvent };
