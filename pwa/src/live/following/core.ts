/**
 * The client: what came in, and what to do about it. Pure.
 *
 * Every method that takes an input returns the actions to perform, in order. Call `tick` at `due_s`.
 * Times are seconds of one monotonic clock. The Python client decides the same: both run the scenarios
 * in `tests/live/scenarios`.
 */

import type { Identify, Lang, PagePosition, RoomSnapshot, ServerFrame, Welcome } from "../../wire/types";
import { mayReconnect, REPLACED } from "../close_codes";
import { Acks, type AckKind } from "./acks";
import type { Action } from "./actions";
import { askedWait_s, Link } from "./link";
import { Positions } from "./positions";

/** HTTP answers about ourselves that another try does not change. */
const FINAL_STATUS: readonly number[] = [400, 401, 403, 404, 421];
/** How long the connection waits for the rooms to be fetched first: one that does not answer must not
 * keep the others from being live. */
const FIRST_GETS_S = 3;
/** How often a touch is told: often enough for "touched within 2 min", seldom enough for a phone. */
const TOUCH_EVERY_S = 30;

export interface Beginning {
  rooms: Iterable<readonly [string, PagePosition | null]>;
  session_id: string | null;
  visible: boolean;
  lang: Lang;
  /** Returns a number in [0, 1). */
  random: () => number;
  now_s: number;
}

export class Core {
  lang: Lang;
  session_id: string | null;
  readonly #positions: Positions;
  readonly #link: Link;
  readonly #acks = new Acks();
  #visible: boolean;
  #touched_s: number;
  #told_s: number;
  /** Rooms to fetch before the first connection. */
  #awaited = new Set<string>();
  #firstDue_s: number | null = null;

  constructor({ rooms, session_id, visible, lang, random, now_s }: Beginning) {
    this.lang = lang;
    this.session_id = session_id;
    this.#positions = new Positions(rooms, random);
    this.#link = new Link(random);
    this.#visible = visible;
    this.#touched_s = this.#told_s = now_s;
  }

  /** The moment at which `tick` must be called next. */
  get due_s(): number | null {
    if (this.isStopped) return null;
    const moments = [this.#link.due_s, this.#positions.due_s, this.#firstDue_s];
    const due = moments.filter((moment) => moment !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** The server has welcomed this connection: frames may be sent. */
  get isLive(): boolean {
    return this.#link.phase === "live";
  }

  /** Where it stands in `room`; null: nowhere. */
  at(room: string): PagePosition | null {
    return this.#positions.at.get(room) ?? null;
  }

  get isStopped(): boolean {
    return this.#link.phase === "stopped";
  }

  /** Do what is due. */
  tick(now_s: number): Action[] {
    if (this.isStopped) return [];
    const actions = this.#positions.tick(now_s);
    if (this.#firstDue_s !== null && now_s >= this.#firstDue_s) {
      actions.push(...this.#connectFirst(now_s));
    }
    return [...actions, ...this.#count(this.#link.tick(now_s))];
  }

  // Beginning and end

  /** Fetch the rooms that were never seen, then connect. */
  start(now_s: number): Action[] {
    const unseen = [...this.#positions.at].filter(([, at]) => at === null).map(([room]) => room);
    this.#awaited = new Set(unseen);
    this.#firstDue_s = now_s + FIRST_GETS_S;
    if (unseen.length === 0) return this.#connectFirst(now_s);
    return unseen.flatMap((room) => this.#positions.fetch(room));
  }

  /** End for good. */
  stop(): Action[] {
    return this.isStopped ? [] : this.#link.stop();
  }

  #settled(room: string, now_s: number): Action[] {
    this.#awaited.delete(room);
    const waits = this.#awaited.size > 0 || this.#firstDue_s === null;
    return waits ? [] : this.#connectFirst(now_s);
  }

  #connectFirst(now_s: number): Action[] {
    this.#firstDue_s = null;
    return this.#link.open(now_s);
  }

  // The connection

  /** Say, on an open connection, who we are and where we stand. */
  opened(): Action[] {
    if (this.#link.phase !== "opening") return [];
    this.#link.isOpen = true;
    this.#acks.connected();
    const frame: Identify = {
      type: "identify",
      session_id: this.session_id,
      rooms: Object.fromEntries(this.#positions.at),
      visible: this.#visible,
      lang: this.lang,
    };
    return [{ do: "send", frame }];
  }

  /** Take the end of the connection: its code, 1006 when it never opened or just broke. */
  closed(code: number, now_s: number): Action[] {
    if (this.#link.phase !== "opening" && !this.isLive) return [];
    if (code === REPLACED) {
      // A copied tab has our session: this page goes on as a session of its own.
      this.session_id = null;
      return this.#link.lost(now_s);
    }
    if (!mayReconnect(code)) return [...this.#link.end(), { do: "ask_why" }];
    // A page cannot read a refused handshake: HTTP says whether it was our token.
    const wasRefused = !this.#link.isOpen;
    return [...this.#link.lost(now_s), ...(wasRefused ? [{ do: "ask_why" } as const] : [])];
  }

  /**
   * HTTP said whether the server lets us in; null: nothing that concerns us. `retry_after_s`: after how
   * many seconds it wants to be asked again; null: it did not say.
   */
  why(status: number | null, now_s: number, retry_after_s: number | null): Action[] {
    if (status !== null && FINAL_STATUS.includes(status)) return this.stop();
    this.#link.askedToWait(askedWait_s(status, retry_after_s), now_s);
    return [];
  }

  /** Take a frame of the connection. */
  take(frame: ServerFrame, now_s: number): Action[] {
    if (frame.type === "welcome" && this.#link.phase === "opening") {
      return this.#welcomed(frame, now_s);
    }
    if (!this.isLive) return [];
    this.#link.heard(now_s);
    switch (frame.type) {
      case "batch": {
        const { actions, mustResume } = this.#positions.takeEvents(frame.events);
        return mustResume ? [...actions, ...this.#link.giveUp(now_s)] : actions;
      }
      case "ping":
        return [{ do: "send", frame: { type: "pong" } }];
      case "pong":
        this.#acks.ponged();
        return [];
      default:
        return []; // What it means is not known here.
    }
  }

  #welcomed(frame: Welcome, now_s: number): Action[] {
    this.session_id = frame.session_id;
    const shown = this.#link.welcomed(frame, now_s);
    const told = [...this.#attention(now_s), ...this.#sendAcks()];
    return [...shown, ...told, ...this.#positions.welcomed(frame)];
  }

  // Rooms over HTTP

  /** Take a fetched room. */
  got(snapshot: RoomSnapshot, now_s: number): Action[] {
    if (this.isStopped) return [];
    return [...this.#positions.got(snapshot, now_s), ...this.#settled(snapshot.room, now_s)];
  }

  /** Take it that a room was refused with `status`, or did not come: null. */
  getFailed(
    room: string,
    status: number | null,
    now_s: number,
    retry_after_s: number | null,
  ): Action[] {
    if (this.isStopped) return [];
    this.#positions.getFailed(room, status, now_s, askedWait_s(status, retry_after_s));
    const asked: Action[] = status === 401 ? [{ do: "ask_why" }] : [];
    return [...asked, ...this.#settled(room, now_s)];
  }

  // The reader and the device

  /** Try or ask now: the device is online again, or the page came back (`pageshow`). */
  woken(now_s: number): Action[] {
    return this.#count(this.#link.wake(now_s));
  }

  /** Take it that the page was shown or hidden; whoever brings it to the front has it in hand. */
  attend(visible: boolean, now_s: number): Action[] {
    const cameBack = visible && !this.#visible;
    this.#visible = visible;
    if (visible) this.#touched_s = now_s;
    return [...this.#attention(now_s), ...(cameBack ? this.woken(now_s) : [])];
  }

  /** Take a touch of the page; it is told seldom. */
  touched(now_s: number): Action[] {
    this.#touched_s = now_s;
    return now_s - this.#told_s >= TOUCH_EVERY_S ? this.#attention(now_s) : [];
  }

  /** Tell that notices were shown or read, and again after a reconnect until it is sure. */
  acknowledge(kind: AckKind, ids: readonly string[]): Action[] {
    this.#acks.add(kind, ids);
    return this.#sendAcks();
  }

  #attention(now_s: number): Action[] {
    if (!this.isLive) return [];
    this.#told_s = now_s;
    const touched_s_ago = Math.max(0, now_s - this.#touched_s);
    return [{ do: "send", frame: { type: "attention", visible: this.#visible, touched_s_ago } }];
  }

  #sendAcks(): Action[] {
    return this.isLive ? this.#acks.toSend().map((frame) => ({ do: "send", frame })) : [];
  }

  #count(actions: Action[]): Action[] {
    for (const action of actions) {
      if (action.do === "send" && action.frame.type === "ping") this.#acks.pinged();
    }
    return actions;
  }
}
