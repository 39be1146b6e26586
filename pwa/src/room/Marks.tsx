/** What else there is to know of a machine, a line each: its plug, a fault, who asked, who comes. */

import type { ComponentChildren } from "preact";
import { lang, now_ms, t } from "../state/signals";
import { momentWords } from "../texts/texts";
import { Icon, type IconName } from "../ui/icons";
import type { MachineView } from "../wire/types";
import { onTheWay, type Standing } from "./actions";

interface Props {
  machine: MachineView;
  standing: Standing;
  muted: boolean;
}

export function Marks({ machine, standing, muted }: Props) {
  const { pickup_requested_at: asked, fault_reported_at: fault, silent_since } = machine;
  const coming = onTheWay(machine) ? machine.owner_coming_at : null;
  const mine = standing === "mine";
  return (
    <>
      {coming !== null && (
        <Mark name="coming" icon="claimed">
          {t(mine ? "mark.coming.mine" : "mark.coming", { time: time(coming) })}
        </Mark>
      )}
      {asked !== null && coming === null && (
        <Mark name="asked" icon="hand" urgent={mine}>
          {t(mine ? "mark.asked.mine" : "mark.asked", { time: time(asked) })}
        </Mark>
      )}
      {mine && muted && machine.phase === "finished" && (
        <Mark name="muted" icon="bell_off">
          {t("mark.muted")}
        </Mark>
      )}
      {machine.sensor === "silent" && (
        <Mark name="silent" icon="plug_silent">
          {silent_since === null
            ? t("card.silent")
            : t("card.silent_since", { time: time(silent_since) })}
        </Mark>
      )}
      {fault !== null && machine.phase !== "out_of_order" && (
        <Mark name="fault" icon="wrench">
          {t("mark.fault", { time: time(fault) })}
        </Mark>
      )}
    </>
  );
}

interface MarkProps {
  name: string;
  icon: IconName;
  urgent?: boolean;
  children: ComponentChildren;
}

function Mark({ name, icon, urgent = false, children }: MarkProps) {
  return (
    <p class={urgent ? "mark urgent" : "mark"} data-mark={name}>
      <Icon name={icon} />
      <span>{children}</span>
    </p>
  );
}

function time(at: string): string {
  return momentWords(lang.value, Date.parse(at), now_ms.value);
}
