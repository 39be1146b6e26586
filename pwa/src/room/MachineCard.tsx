/** One machine: what it is doing, how long, and what the resident may say to it. */

import { useSignal } from "@preact/signals";
import type { RoomState } from "../live/rooms";
import { command, place, refusals, underWay } from "../state/commands";
import { lang, mine, now_ms, t } from "../state/signals";
import { errorText, timeOfDay, type TextKey } from "../texts/texts";
import { Icon } from "../ui/icons";
import type { CommandName, MachineView } from "../wire/types";
import { holdsKind, offered, ownership, type Ownership } from "./ownership";
import { StartChoice } from "./StartChoice";
import { length, timeWords } from "./time_words";

/** Offered, never urged: a slip would take somebody else's laundry, or give one's own away. */
const MEANT_SELDOM: ReadonlySet<CommandName> = new Set(["adopt", "release"]);

interface Props {
  room: RoomState;
  machine: MachineView;
}

export function MachineCard({ room, machine }: Props) {
  const choosing = useSignal(false);
  const key = place(room.room, machine.machine);
  const whose = ownership(mine.value, room.room, machine.machine);
  const holds = holdsKind(mine.value, room.room, machine.kind, room.machines);
  const commands = offered(machine, whose, holds);
  const busy = underWay.value.get(key) ?? null;
  const refusal = refusals.value.get(key);
  const unreachable = room.edge !== null && !room.edge.online;
  const say = (name: CommandName) => {
    if (name === "start") choosing.value = true;
    else void command(room.room, machine.machine, name);
  };
  const start = (minutes: number | null) => {
    choosing.value = false;
    void command(room.room, machine.machine, "start", minutes);
  };
  return (
    <li
      class={`card ${machine.phase}${whose === "none" ? "" : " mine"}`}
      data-machine={machine.machine}
      data-phase={machine.phase}
      data-mine={whose}
      data-sensor={machine.sensor}
      aria-busy={busy !== null}
    >
      <div class="top">
        <span class="badge">
          <Icon name={machine.phase} />
        </span>
        <div class="words">
          <h3>
            {machine.name}
            {whose !== "none" && (
              <span class="yours">
                <Icon name="star" />
                {t("card.yours")}
              </span>
            )}
          </h3>
          <p class="phase">{t(phaseKey(machine, whose))}</p>
          <Time machine={machine} />
        </div>
      </div>
      {machine.sensor === "silent" && (
        <p class="silent">
          <Icon name="plug_silent" />
          {t("card.silent")}
        </p>
      )}
      {choosing.value && commands.includes("start") ? (
        <StartChoice machine={machine.machine} send={start} cancel={() => (choosing.value = false)} />
      ) : (
        commands.length > 0 && (
          <div class="actions">
            {commands.map((name, index) => (
              <button
                key={name}
                type="button"
                class={index === 0 && !MEANT_SELDOM.has(name) ? "primary" : ""}
                data-command={name}
                disabled={busy !== null || unreachable}
                onClick={() => say(name)}
              >
                {t(busy === name ? "command.busy" : `command.${name}`)}
              </button>
            ))}
          </div>
        )
      )}
      <p class="refusal" role="alert" data-refusal={refusal}>
        {refusal && errorText(lang.value, refusal)}
      </p>
    </li>
  );
}

function Time({ machine }: { machine: MachineView }) {
  const words = timeWords(machine, now_ms.value);
  if (words === null) return null;
  const time = words.at_ms === null ? "" : timeOfDay(lang.value, words.at_ms);
  const long = length(words.minutes);
  return <p class="time">{t(words.key, { length: t(long.key, { count: long.count }), time })}</p>;
}

/** The phase in words; of one's own machine in words about oneself. */
function phaseKey(machine: MachineView, whose: Ownership): TextKey {
  const phase = machine.phase;
  if (whose === "none" || phase === "free" || phase === "out_of_order") return `phase.${phase}`;
  return `phase.${phase}.mine`;
}
