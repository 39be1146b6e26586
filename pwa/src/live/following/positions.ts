/** Where the page stands in each room: what to apply, what to hold, what to fetch. Pure. */

import type {
  Backoff as Rule,
  PagePosition,
  Position,
  PublicEvent,
  RoomResume,
  RoomSnapshot,
  Welcome,
} from "../../wire/types";
import type { Action } from "./actions";
import { Backoff } from "./backoff";

/** Events kept while a room is fetched; beyond, the newest are kept and the gap is seen again. */
const HELD_MAX = 1_000;
/** After so many snapshots that do not meet the held events, those are from another history. */
const MISMATCHES_MAX = 3;
/** The 4xx that another try may change (RFC 9110 section 15.5.9, RFC 6585 section 4). */
const TRY_AGAIN: readonly number[] = [408, 429];

export type Verdict = "apply" | "duplicate" | "gap";

/** What an event means to a page that stands at `position`: the rule of PublicEvent. */
export function judge(position: Position | null, event: PublicEvent): Verdict {
  if (position === null || event.epoch !== position.epoch) return "gap";
  if (event.offset <= position.offset) return "duplicate";
  return event.follows <= position.offset ? "apply" : "gap";
}

interface Fetch {
  at_least: PagePosition | null;
  backoff: Backoff;
  held: PublicEvent[];
  mismatches: number;
  /** When to ask again; null while an answer is awaited. */
  due_s: number | null;
  /** The answer that is awaited was asked for before the server said where the room stands now. */
  isEarly: boolean;
  /** The server wants to be asked at `due_s` and not before. */
  isPutOff: boolean;
}

/**
 * A position names the run of the server's store in which it was taken. While a connection lasts, that is
 * the run of its welcome: another one's room, or events, are of a server that began anew meanwhile.
 */
export class Positions {
  /** null: a room never seen. */
  readonly at: Map<string, PagePosition | null>;
  /** Of the connection's server, by its welcome; null: it names none. */
  #runs = new Map<string, string | null>();
  #rule: Rule | null = null;
  #fetches = new Map<string, Fetch>();
  #resumedFrom = new Map<string, PagePosition>();

  constructor(
    rooms: Iterable<readonly [string, PagePosition | null]>,
    private readonly random: () => number,
  ) {
    this.at = new Map(rooms);
  }

  /** The moment at which `tick` must be called next. */
  get due_s(): number | null {
    const moments = [...this.#fetches.values()].flatMap(({ due_s }) => due_s ?? []);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  /** Ask again for the rooms whose time has come. */
  tick(now_s: number): Action[] {
    const actions: Action[] = [];
    for (const [room, fetch] of this.#fetches) {
      if (fetch.due_s === null || fetch.due_s > now_s) continue;
      fetch.due_s = null;
      fetch.isPutOff = false;
      actions.push({ do: "get", room, at_least: fetch.at_least });
    }
    return actions;
  }

  /** Fetch a room; a fetch that is under way must reach `at_least`, too. */
  fetch(room: string, at_least: PagePosition | null = null, held: PublicEvent[] = []): Action[] {
    const fetch = this.#fetches.get(room);
    if (fetch === undefined) {
      const backoff = new Backoff(this.random);
      if (this.#rule !== null) backoff.rule = this.#rule;
      const fresh = { mismatches: 0, due_s: null, isEarly: false, isPutOff: false };
      this.#fetches.set(room, { at_least, backoff, held, ...fresh });
      return [{ do: "get", room, at_least }];
    }
    if (at_least !== null && isLater(at_least, fetch.at_least)) fetch.at_least = at_least;
    if (fetch.due_s === null || fetch.isPutOff) return [];
    fetch.due_s = null;
    return [{ do: "get", room, at_least: fetch.at_least }];
  }

  /**
   * Fetch what could not be recovered, and what the server did not know yet. A server that was restored
   * from a backup may be behind us in our own epoch, and gives our numbers to other events: where it says
   * that nothing was recovered, our position counts no more.
   */
  welcomed(frame: Welcome): Action[] {
    this.#rule = frame.backoff;
    return [...this.at].flatMap(([room, position]) => {
      const resume = frame.rooms[room];
      const head = resume === undefined ? null : headOf(resume);
      this.#runs.set(room, head?.run ?? null);
      const fetch = this.#fetches.get(room);
      if (fetch !== undefined) beginAnew(fetch, head);
      if (resume?.recovered === false) this.at.set(room, null);
      else if (resume !== undefined && position !== null) {
        this.at.set(room, { ...position, run: resume.run });
      }
      const isKnown = resume === undefined ? position !== null : resume.recovered;
      return isKnown ? [] : this.fetch(room, head);
    });
  }

  /** Apply what fits, hold what waits for its room; `mustResume`: something between is missing. */
  takeEvents(events: readonly PublicEvent[]): { actions: Action[]; mustResume: boolean } {
    const actions: Action[] = [];
    for (const event of events) {
      const fetch = this.#fetches.get(event.room);
      if (fetch !== undefined) {
        fetch.held.push(event);
        if (fetch.held.length > HELD_MAX) fetch.held.shift();
        continue;
      }
      const position = this.at.get(event.room) ?? null;
      const verdict = judge(position, event);
      if (position !== null && this.#mustResume(position, event, verdict)) {
        this.#resumedFrom.set(event.room, position);
        // The rest comes again, with what was missing before it.
        return { actions, mustResume: true };
      }
      if (verdict === "apply") actions.push(this.#apply(event));
      if (verdict !== "gap") continue;
      const run = this.#runs.get(event.room) ?? null;
      const before = { epoch: event.epoch, offset: event.follows, run };
      actions.push(...this.fetch(event.room, before, [event]));
    }
    return { actions, mustResume: false };
  }

  /** Take a fetched room and what was held of it; fetch it anew if it is too old. */
  got(snapshot: RoomSnapshot, now_s: number): Action[] {
    const { room } = snapshot;
    const position = { ...snapshot.position, run: snapshot.run };
    const isOfAnotherRun = this.#isOfAnotherRun(room, position);
    const is_older = isOlder(position, this.at.get(room) ?? null);
    const actions: Action[] = [{ do: "take", snapshot, is_older }];
    const fetch = this.#fetches.get(room);
    if (fetch?.isEarly === true) {
      fetch.isEarly = false;
      if (isOfAnotherRun || isLater(position, fetch.at_least)) {
        // The room went on since the welcome, or this is from the history before it: who knows.
        this.at.set(room, null);
        return [...actions, { do: "get", room, at_least: fetch.at_least }];
      }
    }
    if (!is_older) this.at.set(room, position);
    if (fetch === undefined) return actions;
    if (isOfAnotherRun) {
      // Whoever sent what is held is not there any more: a new connection goes on from here.
      this.#fetches.delete(room);
      return actions;
    }
    const held = this.#applyHeld(room, fetch);
    actions.push(...held.actions);
    if (!held.met || isBehind(this.at.get(room) ?? null, fetch.at_least)) {
      fetch.mismatches += 1;
      if (fetch.mismatches < MISMATCHES_MAX) {
        fetch.due_s = now_s + fetch.backoff.nextWait_s();
        return actions;
      }
    }
    this.#fetches.delete(room);
    return actions;
  }

  /**
   * No room came; ask again unless `status` is the server's last word. null: no answer. `asked_s`: how
   * long the server asks us to wait, 0 when it did not.
   */
  getFailed(room: string, status: number | null, now_s: number, asked_s: number): void {
    const fetch = this.#fetches.get(room);
    if (fetch === undefined) return;
    const isRefused = status !== null && status >= 400 && status < 500;
    if (isRefused && !TRY_AGAIN.includes(status)) this.#fetches.delete(room);
    else {
      fetch.isEarly = false;
      fetch.isPutOff = asked_s > 0;
      fetch.due_s = now_s + asked_s + fetch.backoff.nextWait_s();
    }
  }

  /** Apply held events in order; not `met`: one does not follow, it and the rest stay. */
  #applyHeld(room: string, fetch: Fetch): { actions: Action[]; met: boolean } {
    const epoch = this.at.get(room)?.epoch;
    // What came before the epoch that the snapshot is of is history.
    const first = fetch.held.findIndex((event) => event.epoch === epoch);
    if (first > 0) fetch.held.splice(0, first);
    const actions: Action[] = [];
    while (fetch.held[0] !== undefined) {
      const event = fetch.held[0];
      const verdict = judge(this.at.get(room) ?? null, event);
      if (verdict === "gap") return { actions, met: false };
      fetch.held.shift();
      if (verdict === "apply") actions.push(this.#apply(event));
    }
    return { actions, met: true };
  }

  #apply(event: PublicEvent): Action {
    const run = this.at.get(event.room)?.run ?? null;
    this.at.set(event.room, { epoch: event.epoch, offset: event.offset, run });
    return { do: "apply", event };
  }

  /** The event leads on from elsewhere, resuming can help, and was not tried from here before. */
  #mustResume(position: PagePosition, event: PublicEvent, verdict: Verdict): boolean {
    const isGap = verdict === "gap" && position.epoch === event.epoch;
    if (!isGap && !this.#isOfAnotherRun(event.room, position)) return false;
    const tried = this.#resumedFrom.get(event.room);
    return tried?.epoch !== position.epoch || tried.offset !== position.offset;
  }

  #isOfAnotherRun(room: string, position: PagePosition): boolean {
    return differ(position.run, this.#runs.get(room));
  }
}

function headOf({ epoch, offset, run }: RoomResume): PagePosition {
  return { epoch, offset, run };
}

type Run = string | null | undefined;

function differ(one: Run, other: Run): boolean {
  return (one ?? null) !== null && (other ?? null) !== null && one !== other;
}

/** Go on over a new connection: whatever is missing at `head`, and after it, comes over that. */
function beginAnew(fetch: Fetch, head: PagePosition | null): void {
  fetch.at_least = head;
  fetch.held = [];
  fetch.mismatches = 0;
  fetch.isEarly = fetch.due_s === null;
}

function isLater(found: Position, known: Position | null): boolean {
  return known === null || found.epoch !== known.epoch || found.offset > known.offset;
}

function isOlder(found: PagePosition, known: PagePosition | null): boolean {
  // Numbers of two runs say nothing of each other.
  if (known === null || differ(found.run, known.run)) return false;
  return found.epoch === known.epoch && found.offset < known.offset;
}

function isBehind(position: Position | null, at_least: Position | null): boolean {
  if (position === null || at_least === null) return false;
  return position.epoch !== at_least.epoch || position.offset < at_least.offset;
}
