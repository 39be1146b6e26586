/** The machines of one kind, how many are free, and waiting for one. */

import type { RoomState } from "../live/rooms";
import { t } from "../state/signals";
import { Icon } from "../ui/icons";
import type { MachineKind } from "../wire/types";
import { MachineCard } from "./MachineCard";
import { WatchLine } from "./WatchLine";

export const KINDS: readonly MachineKind[] = ["washer", "dryer", "washer_dryer"];

export function KindGroup({ kind, state }: { kind: MachineKind; state: RoomState }) {
  const machines = state.machines.filter((machine) => machine.kind === kind);
  if (machines.length === 0) return null;
  return (
    <section aria-labelledby={`kind-${kind}`} data-kind={kind}>
      <div class="kind-head">
        <h2 id={`kind-${kind}`}>{t(`kind.${kind}`)}</h2>
        <FreeCount kind={kind} state={state} />
        <WatchLine kind={kind} state={state} />
      </div>
      <ul class="cards">
        {machines.map((machine) => (
          <MachineCard key={machine.machine} room={state} machine={machine} />
        ))}
      </ul>
    </section>
  );
}

function FreeCount({ kind, state }: { kind: MachineKind; state: RoomState }) {
  const machines = state.machines.filter((machine) => machine.kind === kind);
  const free = machines.filter((machine) => machine.phase === "free").length;
  return (
    <p class={free > 0 ? "free-count some" : "free-count"} data-free={free}>
      {free > 0 && <Icon name="free" />}
      {t("room.summary", { free, all: machines.length })}
    </p>
  );
}

/** The same counts in the bar of a wall's screen, where nobody scrolls. */
export function Overview({ state }: { state: RoomState }) {
  const here = KINDS.filter((kind) => state.machines.some((machine) => machine.kind === kind));
  return (
    <div class="overview" aria-hidden="true">
      {here.map((kind) => (
        <div key={kind}>
          <span>{t(`kind.${kind}`)}</span>
          <FreeCount kind={kind} state={state} />
        </div>
      ))}
    </div>
  );
}
