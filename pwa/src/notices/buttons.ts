/** Which buttons a notice shows: those that it came with and that its machine still allows. Pure. */

import { offer } from "../room/actions";
import { holdsKind, ownership } from "../room/ownership";
import type { RoomState } from "../live/rooms";
import { tables } from "../wire/tables";
import type { ActionId, CommandName, CommandParams, Lang, Mine, NoticeFrame } from "../wire/types";

export interface Button {
  id: ActionId;
  label: string;
  command: CommandName;
  params: CommandParams;
}

/** The buttons of a notice, the most probably meant first. `room`: its room, null if not on this page. */
export function buttonsOf(
  lang: Lang,
  notice: NoticeFrame,
  room: RoomState | null,
  mine: Mine,
): Button[] {
  const ofRow = tables.notices[notice.kind]?.actions ?? [];
  const came = ofRow.filter((id) => notice.actions?.includes(id) ?? true);
  const allowed = room === null ? null : allowedIn(room, notice.machine, mine);
  return came
    .map((id) => {
      const { command, params, label } = tables.notice_actions[id];
      return { id, label: label[lang], command, params };
    })
    .filter(({ command }) => allowed?.includes(command) ?? true);
}

/** What the machine's card offers now. */
function allowedIn(room: RoomState, name: string | null, mine: Mine): CommandName[] {
  const machine = room.machines.find((one) => one.machine === name);
  if (machine === undefined) return [];
  const { primary, beside, more } = offer(machine, {
    whose: ownership(mine, room.room, machine.machine),
    holds: holdsKind(mine, room.room, machine.kind, room.machines),
    muted: mine.pickup_muted.includes(room.room),
  });
  return [...(primary === null ? [] : [primary]), ...beside, ...more];
}
