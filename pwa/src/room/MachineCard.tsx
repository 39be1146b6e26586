/** One machine: what it is doing, how long, and what the resident may say to it. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { RoomState } from "../live/rooms";
import { command, place, underWay } from "../state/commands";
import { lang, mine, now_ms, t } from "../state/signals";
import { momentWords, type TextKey } from "../texts/texts";
import { Icon } from "../ui/icons";
import type { CommandName, CommandParams, MachineView, Programme } from "../wire/types";
import { offer, standing, type Standing } from "./actions";
import { Answer } from "./Answer";
import { FaultForm } from "./FaultForm";
import { Marks } from "./Marks";
import { MoreSheet } from "./MoreSheet";
import { holdsKind, ownership } from "./ownership";
import { ExtendChoice, StartChoice } from "./StartChoice";
import { length, lengthLeft, timeWords } from "./time_words";

interface Props {
  room: RoomState;
  machine: MachineView;
}

/** Which sheet of the machine is open. */
type Open = "start" | "extend" | "report_fault" | "more" | null;

/** These ask something first. */
const ASKING = ["start", "extend", "report_fault"] as const;

export function MachineCard({ room, machine }: Props) {
  const open = useSignal<Open>(null);
  const key = place(room.room, machine.machine);
  const whose = ownership(mine.value, room.room, machine.machine);
  const stands = standing(machine, whose);
  const muted = mine.value.pickup_muted.includes(room.room);
  const holds = holdsKind(mine.value, room.room, machine.kind, room.machines);
  const { primary, beside, more } = offer(machine, { whose, holds, muted });
  const busy = underWay.value.get(key) ?? null;
  const unreachable = room.edge !== null && !room.edge.online;
  const shown = primary === null ? beside : [primary, ...beside];
  const offered = [...shown, ...more];
  const card = useRef<HTMLLIElement>(null);
  const tapped = useRef(false);
  // The button that was tapped is often gone with the phase; a keyboard goes on from this card.
  useEffect(() => {
    if (tapped.current && document.activeElement === document.body) {
      card.current?.querySelector<HTMLElement>(".actions button, button.more")?.focus();
    }
    tapped.current = false;
  }, [machine.phase, stands]);
  const close = () => (open.value = null);
  const send = (name: CommandName, params: CommandParams = {}) => {
    close();
    tapped.current = true;
    void command(room.room, machine.machine, name, params);
  };
  const say = (name: CommandName) => {
    if (busy !== null) return;
    const asking = ASKING.find((one) => one === name);
    if (asking === undefined) send(name);
    else open.value = asking;
  };
  const programmes = room.programmes.filter((programme) => programme.kind === machine.kind);
  return (
    <li
      ref={card}
      class={`card ${machine.phase}${whose === "none" ? "" : " mine"}`}
      data-machine={machine.machine}
      data-phase={machine.phase}
      data-mine={whose}
      data-standing={stands}
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
          <p class="phase">{t(phaseKey(machine, stands))}</p>
          <Time machine={machine} programmes={programmes} />
        </div>
        {more.length > 0 && (
          <button
            type="button"
            class="round more"
            data-testid="more"
            aria-label={t("card.more", { name: machine.name })}
            aria-haspopup="dialog"
            disabled={unreachable}
            onClick={() => (open.value = "more")}
          >
            <Icon name="more" />
          </button>
        )}
      </div>
      <Marks
        machine={machine}
        standing={stands}
        muted={muted}
      />
      {shown.length > 0 && (
        <div class="actions">
          {shown.map((name) => (
            <button
              key={name}
              type="button"
              class={name === primary ? "primary" : ""}
              data-command={name}
              disabled={unreachable}
              // Not disabled: that would take the focus away.
              aria-disabled={busy !== null}
              onClick={() => say(name)}
            >
              {t(busy === name ? "command.busy" : `command.${name}`)}
            </button>
          ))}
        </div>
      )}
      <Answer at={key} />
      {open.value === "start" && offered.includes("start") && (
        <StartChoice
          machine={machine}
          programmes={programmes}
          send={(params) => send("start", params)}
          close={close}
        />
      )}
      {open.value === "extend" && offered.includes("extend") && (
        <ExtendChoice machine={machine} send={(params) => send("extend", params)} close={close} />
      )}
      {open.value === "report_fault" && (
        <FaultForm room={room.room} machine={machine} close={close} />
      )}
      {open.value === "more" && (
        <MoreSheet machine={machine} commands={more} say={say} close={close} />
      )}
    </li>
  );
}

function Time({ machine, programmes }: { machine: MachineView; programmes: Programme[] }) {
  const words = timeWords(machine, now_ms.value);
  const programme = programmes.find((one) => one.programme === machine.programme)?.name;
  if (words === null) return null;
  const time = words.at_ms === null ? "" : momentWords(lang.value, words.at_ms, now_ms.value);
  const long = words.key === "time.left" ? lengthLeft(words.minutes) : length(words.minutes);
  return (
    <p class="time">
      {t(words.key, {
        length: t(long.key, { count: long.count, rest: long.rest }),
        low: words.minutes,
        high: words.up_to ?? words.minutes,
        time,
      })}
      {programme !== undefined && <span class="programme">{programme}</span>}
    </p>
  );
}

/** The phase in words; of one's own machine in words about oneself, of nobody's in words that say so. */
function phaseKey({ phase }: MachineView, stands: Standing): TextKey {
  if (phase === "free" || phase === "out_of_order" || stands === "others") return `phase.${phase}`;
  if (stands === "mine") return `phase.${phase}.mine`;
  return phase === "claimed" || phase === "arrived" ? `phase.${phase}` : `phase.${phase}.nobodys`;
}
