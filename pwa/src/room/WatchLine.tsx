/** Waiting for a machine of a kind: offered when none is free, and what has come of it. */

import type { RoomState } from "../live/rooms";
import { command, kindPlace, underWay } from "../state/commands";
import { lang, mine, now_ms, t } from "../state/signals";
import { timeOfDay } from "../texts/texts";
import { Icon } from "../ui/icons";
import type { MachineKind } from "../wire/types";
import { Answer } from "./Answer";
import { lengthLeft } from "./time_words";
import { firstEnd_ms, watching, type Watching } from "./watching";

const MINUTE_MS = 60_000;

export function WatchLine({ kind, state }: { kind: MachineKind; state: RoomState }) {
  const machines = state.machines.filter((machine) => machine.kind === kind);
  const said = watching(mine.value, state.room, kind, machines, now_ms.value);
  const at = kindPlace(state.room, kind);
  const [first] = machines;
  if (first === undefined) return null;
  const name = said.state === "offered" ? "watch" : "unwatch";
  const busy = underWay.value.get(at) !== undefined;
  const unreachable = state.edge !== null && !state.edge.online;
  return (
    <div class={`watch ${said.state}`} data-watch={said.state}>
      {said.state !== "idle" && (
        <div class="watch-line">
          <Icon name={said.state === "offered" ? "bell_off" : "bell_on"} />
          <p role="status">{words(said, firstEnd_ms(machines, now_ms.value))}</p>
          <button
            type="button"
            data-command={name}
            disabled={unreachable}
            aria-disabled={busy}
            // Any machine of the kind stands for all of them.
            onClick={() => void command(state.room, first.machine, name, {}, at)}
          >
            {t(busy ? "command.busy" : `command.${name}`)}
          </button>
        </div>
      )}
      <Answer at={at} />
    </div>
  );
}

function words(said: Exclude<Watching, { state: "idle" }>, end_ms: number | null): string {
  if (said.state === "first") {
    return t("watch.first", { time: timeOfDay(lang.value, said.until_ms) });
  }
  if (said.state !== "offered" || end_ms === null) return t(`watch.${said.state}`);
  const minutes = Math.round((end_ms - now_ms.value) / MINUTE_MS);
  if (minutes < 1) return t("watch.offered_soon");
  const long = lengthLeft(minutes);
  return t("watch.offered_end", { length: t(long.key, { count: long.count, rest: long.rest }) });
}
