/** What a card offers: the one thing most probably meant, what stands beside it, and the rest. Pure. */

import { tables } from "../wire/tables";
import type { CommandName, MachineView, Phase } from "../wire/types";
import type { Ownership } from "./ownership";

/** `others`: somebody has it, and not I; `nobodys`: free, or running or finished without an owner. */
export type Standing = "mine" | "others" | "nobodys";

/** What the resident has here besides this machine. */
export interface Situation {
  whose: Ownership;
  /** They hold a machine of this kind in this room: one claim a kind. */
  holds: boolean;
  /** They take no requests to collect in this room. */
  muted: boolean;
}

export interface Offer {
  /** Large and coloured; null where nothing should be urged. */
  primary: CommandName | null;
  beside: CommandName[];
  /** Behind "more", each with a line that says what it does. */
  more: CommandName[];
}

/** Candidates in order: the first of `primary` that is sensible is the one. */
interface Row {
  primary: readonly CommandName[];
  beside: readonly CommandName[];
  more: readonly CommandName[];
}

const NOTHING: Row = { primary: [], beside: [], more: [] };
const FAULT_ALONE: Row = { ...NOTHING, more: ["report_fault"] };
const REQUESTS: readonly CommandName[] = ["mute_pickup", "unmute_pickup"];

const OFFERS: Record<Phase, Record<Standing, Row>> = {
  free: {
    mine: FAULT_ALONE,
    others: FAULT_ALONE,
    nobodys: { primary: ["claim"], beside: ["start"], more: ["report_fault"] },
  },
  claimed: {
    mine: { primary: ["arrive"], beside: ["start"], more: ["release", "report_fault"] },
    others: FAULT_ALONE,
    nobodys: FAULT_ALONE,
  },
  arrived: {
    mine: { primary: ["start"], beside: ["release"], more: ["report_fault"] },
    others: FAULT_ALONE,
    nobodys: FAULT_ALONE,
  },
  in_use: {
    mine: { primary: [], beside: ["extend"], more: ["release", ...REQUESTS, "report_fault"] },
    others: FAULT_ALONE,
    // Never urged: a slip would take somebody else's laundry.
    nobodys: { primary: [], beside: ["adopt"], more: ["report_fault"] },
  },
  finished: {
    mine: { primary: ["collect"], beside: ["coming"], more: ["extend", ...REQUESTS, "report_fault"] },
    others: { primary: [], beside: ["request_pickup"], more: ["report_fault"] },
    nobodys: { primary: ["collect"], beside: ["adopt"], more: ["report_fault"] },
  },
  // Staff knows already.
  out_of_order: { mine: NOTHING, others: NOTHING, nobodys: NOTHING },
};

export function standing(machine: MachineView, whose: Ownership): Standing {
  if (whose !== "none") return "mine";
  return machine.has_owner ? "others" : "nobodys";
}

/** The buttons of a card. The server has the last word on each. */
export function offer(machine: MachineView, situation: Situation): Offer {
  const row = OFFERS[machine.phase][standing(machine, situation.whose)];
  const can = (name: CommandName) =>
    tables.command_phases[name].includes(machine.phase) && sensible(name, machine, situation);
  const primary = row.primary.find(can) ?? null;
  const beside = row.beside.filter((name) => name !== primary && can(name));
  // An owner who is on the way need not be asked again, but may be.
  const answered = onTheWay(machine);
  const demoted = (name: CommandName) => name === "request_pickup" && answered;
  return {
    primary,
    beside: beside.filter((name) => !demoted(name)),
    more: [...beside.filter(demoted), ...row.more.filter(can)],
  };
}

/** Whether the owner has answered the last request to collect. */
export function onTheWay(machine: MachineView): boolean {
  const { pickup_requested_at: asked, owner_coming_at: coming } = machine;
  if (coming === null) return false;
  return asked === null || Date.parse(coming) >= Date.parse(asked);
}

function sensible(name: CommandName, machine: MachineView, { holds, muted }: Situation): boolean {
  switch (name) {
    case "claim":
      return !holds;
    case "extend":
      return extendable(machine);
    case "coming":
      return machine.pickup_requested_at !== null && !onTheWay(machine);
    case "mute_pickup":
      return !muted;
    case "unmute_pickup":
      return muted;
    default:
      return true;
  }
}

/** A plug that knows the end, or has seen it, knows better than its owner. */
function extendable(machine: MachineView): boolean {
  if (machine.phase === "finished") return machine.sensor !== "ok";
  return machine.ends_at !== null && machine.ends_confidence === null;
}
