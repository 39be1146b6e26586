/** What is meant more seldom, each with a line that says what it does. */

import { t } from "../state/signals";
import type { TextKey } from "../texts/texts";
import { Sheet } from "../ui/Sheet";
import type { CommandName, MachineView } from "../wire/types";

interface Props {
  machine: MachineView;
  commands: readonly CommandName[];
  say(name: CommandName): void;
  close(): void;
}

export function MoreSheet({ machine, commands, say, close }: Props) {
  return (
    <Sheet name={`more-${machine.machine}`} title={machine.name} close={close}>
      <ul class="choices">
        {commands.map((name) => (
          <li key={name}>
            <button type="button" class="choice-line" data-command={name} onClick={() => say(name)}>
              <span>{t(labelKey(name, machine))}</span>
              <span class="hint">{t(hintKey(name, machine))}</span>
            </button>
          </li>
        ))}
      </ul>
    </Sheet>
  );
}

function labelKey(name: CommandName, machine: MachineView): TextKey {
  if (name === "release" && machine.phase === "in_use") return "command.release.in_use";
  return `command.${name}`;
}

function hintKey(name: CommandName, machine: MachineView): TextKey {
  switch (name) {
    case "release":
      return machine.phase === "in_use" ? "hint.release.in_use" : "hint.release";
    case "extend":
      return machine.phase === "finished" ? "hint.extend.finished" : "hint.extend";
    case "mute_pickup":
    case "unmute_pickup":
    case "request_pickup":
      return `hint.${name}`;
    default:
      return "hint.report_fault";
  }
}
