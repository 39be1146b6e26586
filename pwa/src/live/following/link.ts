/** One connection after the other: when to open, when to give up, when to come back. Pure. */

import type { Welcome } from "../../wire/types";
import type { Action, ConnectionState } from "./actions";
import { Backoff } from "./backoff";

/** Tries that fail before the page says that it is offline; it goes on trying. */
const TRIES_BEFORE_OFFLINE = 5;
/** A server that accepts a connection and says nothing is as good as none. */
const WELCOME_TIMEOUT_S = 10;
/** After waking, a connection that does not answer this soon is dead. */
const WAKE_TIMEOUT_S = 5;
/** Longest wait for the answer to a ping: two retransmissions of a slow mobile network. */
const ANSWER_TIMEOUT_S = 10;
/** However short the heartbeat: a busy computer takes its time. */
const ANSWER_LEAST_S = 1;
/** Longest wait that a server may ask for (`Retry-After`): a mistaken header must not end a client. */
const RETRY_AFTER_MAX_S = 300;
/** Answers that `Retry-After` goes with (RFC 6585 section 4, RFC 9110 section 15.6.4). */
const COME_LATER: readonly number[] = [429, 503];
/** Until the first welcome. */
const FIRST_HEARTBEAT_S = 30;

/** `opening`: from the first packet until the welcome; `waiting`: for the moment of the next try. */
export type Phase = "idle" | "opening" | "live" | "waiting" | "stopped";

/** How long an answer asks us to stay away; the backoff's own wait is added, as jitter. */
export function askedWait_s(status: number | null, retry_after_s: number | null): number {
  if (status === null || !COME_LATER.includes(status) || retry_after_s === null) return 0;
  return Math.min(Math.max(0, retry_after_s), RETRY_AFTER_MAX_S);
}

export class Link {
  phase: Phase = "idle";
  /** The moment at which `tick` must be called next. */
  due_s: number | null = null;
  /** Whether the handshake of the newest connection is done. */
  isOpen = false;
  readonly #backoff: Backoff;
  #state: ConnectionState = "connecting";
  #heartbeat_s = FIRST_HEARTBEAT_S;
  #failed = 0;
  /** A ping was sent and nothing came since. */
  #isAsked = false;
  /** The moment before which the server does not want us, whoever comes back. */
  #notBefore_s = 0;

  constructor(random: () => number) {
    this.#backoff = new Backoff(random);
  }

  /** Try now. */
  open(now_s: number): Action[] {
    this.phase = "opening";
    this.isOpen = false;
    this.due_s = now_s + WELCOME_TIMEOUT_S;
    return [{ do: "connect" }];
  }

  /** Take the welcome: the next loss begins with the first span again. */
  welcomed(frame: Welcome, now_s: number): Action[] {
    this.phase = "live";
    this.#backoff.rule = frame.backoff;
    this.#backoff.reset();
    this.#heartbeat_s = frame.heartbeat_s;
    this.#failed = 0;
    this.heard(now_s);
    return this.#show("live");
  }

  /** Something came: the server lives. */
  heard(now_s: number): void {
    if (this.phase !== "live") return;
    this.#isAsked = false;
    this.due_s = now_s + this.#heartbeat_s;
  }

  /**
   * Try at once, or ask a connection whether it lives: the network or the reader is back. The backoff
   * goes on where it was, so that a network that comes and goes is not hammered.
   */
  wake(now_s: number): Action[] {
    if (this.phase === "waiting") return now_s >= this.#notBefore_s ? this.open(now_s) : [];
    if (this.phase === "live" && !this.#isAsked) return this.#ask(now_s, WAKE_TIMEOUT_S);
    if (this.due_s !== null) {
      // Opening, or asked already: waking again and again must not put off the end.
      this.due_s = Math.min(this.due_s, now_s + WAKE_TIMEOUT_S);
    }
    return [];
  }

  /** Wait for the next try: the connection is gone, or never came. */
  lost(now_s: number): Action[] {
    if (this.phase !== "live") this.#failed += 1;
    this.phase = "waiting";
    this.due_s = now_s + this.#backoff.nextWait_s();
    return this.#show(this.#failed >= TRIES_BEFORE_OFFLINE ? "offline" : "connecting");
  }

  /** Put the next try off by what the server asks for; one that is under way is not. */
  askedToWait(wait_s: number, now_s: number): void {
    if (this.phase !== "waiting" || this.due_s === null || wait_s <= 0) return;
    this.#notBefore_s = now_s + wait_s;
    this.due_s += wait_s;
  }

  /** Drop the connection and come back. */
  giveUp(now_s: number): Action[] {
    return [{ do: "drop" }, ...this.lost(now_s)];
  }

  /** Drop the connection, if there is one, and end for good. */
  stop(): Action[] {
    const hasConnection = this.phase === "opening" || this.phase === "live";
    return [...(hasConnection ? [{ do: "drop" } as const] : []), ...this.end()];
  }

  /** End for good, with the connection already gone. */
  end(): Action[] {
    this.phase = "stopped";
    this.due_s = null;
    return this.#show("stopped");
  }

  /** Do what is due. */
  tick(now_s: number): Action[] {
    if (this.due_s === null || now_s < this.due_s) return [];
    if (this.phase === "waiting") return this.open(now_s);
    if (this.phase === "live" && !this.#isAsked) {
      const within_s = Math.min(this.#heartbeat_s, ANSWER_TIMEOUT_S);
      return this.#ask(now_s, Math.max(ANSWER_LEAST_S, within_s));
    }
    return this.giveUp(now_s);
  }

  #ask(now_s: number, within_s: number): Action[] {
    this.#isAsked = true;
    this.due_s = now_s + within_s;
    return [{ do: "send", frame: { type: "ping" } }];
  }

  #show(state: ConnectionState): Action[] {
    if (state === this.#state) return [];
    this.#state = state;
    return [{ do: "show", state }];
  }
}
