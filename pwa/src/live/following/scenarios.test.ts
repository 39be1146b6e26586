/** The client's decisions, by the scenarios that the Python client runs too: what they say stands in
 * `tests/live/test_scenarios.py`. */

import { expect, test } from "vitest";
import filled from "../../../../tests/live/scenario_frames.json";
import type { Identify, PagePosition, PublicEvent, RoomSnapshot, ServerFrame } from "../../wire/types";
import type { Action } from "./actions";
import { Core } from "./core";

interface Refusal {
  status: number | null;
  retry_after_s?: number;
}
type Happening = string | Record<string, unknown>;
interface Step {
  at_s: number;
  in?: Happening;
  out: unknown[];
}
interface Scenario {
  name: string;
  begins?: "live";
  rooms?: Record<string, [string, number, string?] | null>;
  random?: number[];
  steps: Step[];
}

const files = import.meta.glob<Scenario[]>("../../../../tests/live/scenarios/*.json", {
  eager: true,
  import: "default",
});
const scenarios = Object.values(files).flat();

function whole(frame: { type: string; events?: object[] }): ServerFrame {
  const events = frame.events?.map((event) => ({ ...filled.event, ...event }) as unknown as PublicEvent);
  const more = events === undefined ? {} : { events };
  const rest = frame.type === "welcome" ? filled.welcome : {};
  return { ...rest, ...frame, ...more } as ServerFrame;
}

function said(action: Action): unknown {
  switch (action.do) {
    case "connect":
    case "drop":
    case "ask_why":
      return action.do;
    case "get":
      return { get: action.room };
    case "take":
      return { take: action.snapshot.room, ...(action.is_older ? { older: true } : {}) };
    case "show":
      return { state: action.state };
    case "apply":
      return { apply: [action.event.room, action.event.epoch, action.event.offset] };
    case "send": {
      if (action.frame.type === "identify") return { send: withoutNoRun(action.frame) };
      if (action.frame.type !== "attention") return { send: action.frame };
      const touched_s_ago = Math.round(action.frame.touched_s_ago * 1_000) / 1_000;
      return { send: { ...action.frame, touched_s_ago } };
    }
  }
}

/** A position without a run is written without it. */
function withoutNoRun(frame: Identify): unknown {
  const rooms = Object.entries(frame.rooms).map(([room, at]) => {
    if (at === null) return [room, null];
    const { epoch, offset, run } = at;
    return [room, (run ?? null) === null ? { epoch, offset } : { epoch, offset, run }];
  });
  return { ...frame, rooms: Object.fromEntries(rooms) as unknown };
}

class Stage {
  readonly #core: Core;

  constructor(scenario: Scenario) {
    const numbers = [...(scenario.random ?? [1])];
    const rooms = Object.entries(scenario.rooms ?? { "a.b": null }).map(
      ([room, at]): [string, PagePosition | null] => [
        room,
        at === null ? null : { epoch: at[0], offset: at[1], run: at[2] ?? null },
      ],
    );
    this.#core = new Core({
      rooms,
      session_id: null,
      visible: true,
      lang: "en",
      random: () => (numbers.length > 1 ? numbers.shift() : numbers[0]) ?? 0,
      now_s: 0,
    });
    if (scenario.begins !== "live") return;
    this.#core.start(0);
    this.#core.opened();
    const resumed = rooms.map(([room, at]) => [
      room,
      { ...at, was_recovering: true, recovered: true },
    ]);
    const welcome = { ...filled.welcome, rooms: Object.fromEntries(resumed) } as ServerFrame;
    this.#core.take(welcome, 0);
    expect(this.#core.isLive).toBe(true);
  }

  play({ at_s, in: what }: Step): unknown[] {
    const actions = this.#runTo(at_s);
    if (what !== undefined) actions.push(...this.#happen(what, at_s));
    actions.push(...this.#runTo(at_s));
    return actions.map(said);
  }

  #runTo(at_s: number): Action[] {
    const actions: Action[] = [];
    for (let turn = 0; turn < 1_000; turn += 1) {
      const { due_s } = this.#core;
      if (due_s === null || due_s > at_s) return actions;
      actions.push(...this.#core.tick(due_s));
    }
    throw new Error(`at ${at_s} s something is due again and again`);
  }

  #happen(what: Happening, now_s: number): Action[] {
    const core = this.#core;
    if (typeof what === "string") return this.#call(what, now_s);
    const [[kind, given] = ["", null]] = Object.entries(what);
    switch (kind) {
      case "closed":
        return core.closed(given as number, now_s);
      case "frame":
        return core.take(whole(given as { type: string }), now_s);
      case "snapshot":
        return core.got({ ...filled.snapshot, ...(given as RoomSnapshot) }, now_s);
      case "get_failed": {
        const { room, status, retry_after_s } = given as Refusal & { room: string };
        return core.getFailed(room, status, now_s, retry_after_s ?? null);
      }
      case "why": {
        if (typeof given !== "object" || given === null) {
          return core.why(given as number | null, now_s, null);
        }
        const { status, retry_after_s } = given as Refusal;
        return core.why(status, now_s, retry_after_s ?? null);
      }
      case "ack":
      case "read":
        return core.acknowledge(kind, given as string[]);
      default:
        throw new Error(`no such thing happens: ${kind}`);
    }
  }

  #call(word: string, now_s: number): Action[] {
    const core = this.#core;
    switch (word) {
      case "start":
        return core.start(now_s);
      case "opened":
        return core.opened();
      case "refused":
        return core.closed(1006, now_s);
      case "online":
      case "pageshow":
        return core.woken(now_s);
      case "visible":
      case "hidden":
        return core.attend(word === "visible", now_s);
      case "touched":
        return core.touched(now_s);
      case "stop":
        return core.stop();
      default:
        throw new Error(`no such thing happens: ${word}`);
    }
  }
}

test("there are scenarios", () => expect(scenarios.length).toBeGreaterThan(50));

test.each(scenarios)("$name", (scenario) => {
  const stage = new Stage(scenario);
  for (const [number, step] of scenario.steps.entries()) {
    expect(stage.play(step), `step ${number}`).toEqual(step.out);
  }
});
