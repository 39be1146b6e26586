/** Does what the client's core decides: opens sockets, sends, fetches, waits. Decides nothing itself. */

import type { ClientFrame, RoomSnapshot, ServerFrame } from "../wire/types";
import type { AckKind } from "./following/acks";
import type { Action } from "./following/actions";
import { Core, type Beginning } from "./following/core";

/** `status` null: no answer. `retry_after_s`: when to ask again, where the server says so. */
export interface Refused {
  status: number | null;
  retry_after_s: number | null;
}

export interface Surroundings {
  /** Actions to see: what is shown, taken, applied. One call for what one frame brought. */
  perform(actions: readonly Action[]): void;
  onFrame(frame: ServerFrame): void;
  getRoom(room: string): Promise<RoomSnapshot | Refused>;
  /** How the server refuses us; without a status: it does not, or does not answer. */
  askWhy(): Promise<Refused>;
  keepSessionId(id: string | null): void;
}

/** RFC 6455 section 7.4.1: the connection ended without a close frame. */
const NO_CODE = 1006;

export class Connection {
  readonly core: Core;
  #socket: WebSocket | null = null;
  #timer: number | undefined;
  #session_id: string | null;
  #began: (() => void) | null = null;

  constructor(
    beginning: Omit<Beginning, "now_s" | "random">,
    private readonly around: Surroundings,
  ) {
    this.core = new Core({ ...beginning, random: Math.random, now_s: now_s() });
    this.#session_id = beginning.session_id;
  }

  /** Begin; resolves when the rooms were fetched, or have had their time, and the socket opens. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#began = resolve;
      this.input((core) => core.start(now_s()));
    });
  }

  stop(): void {
    this.input((core) => core.stop());
  }

  /** Send if the server has welcomed us; false: it was not sent. */
  send(frame: ClientFrame): boolean {
    if (!this.core.isLive || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Tell the server, now or as soon as it can be told. */
  acknowledge(kind: AckKind, ids: readonly string[]): void {
    this.input((core) => core.acknowledge(kind, ids));
  }

  attend(visible: boolean): void {
    this.input((core) => core.attend(visible, now_s()));
  }

  touched(): void {
    this.input((core) => core.touched(now_s()));
  }

  woken(): void {
    this.input((core) => core.woken(now_s()));
  }

  /** Give the core what came in, and do what it decides. */
  private input(take: (core: Core) => Action[]): void {
    const actions = take(this.core);
    if (this.core.session_id !== this.#session_id) {
      this.#session_id = this.core.session_id;
      this.around.keepSessionId(this.#session_id);
    }
    for (const action of actions) this.#do(action);
    if (actions.length > 0) this.around.perform(actions);
    this.#setTimer();
  }

  #do(action: Action): void {
    switch (action.do) {
      case "connect":
        this.#open();
        this.#hasBegun();
        return;
      case "drop":
        this.#drop();
        return;
      case "send":
        if (this.#socket?.readyState === WebSocket.OPEN) {
          this.#socket.send(JSON.stringify(action.frame));
        }
        return;
      case "get":
        void this.#get(action.room);
        return;
      case "ask_why":
        void this.#askWhy();
        return;
      case "show":
        if (action.state === "stopped") this.#hasBegun();
        return;
      case "take":
      case "apply":
        return; // For whoever is around.
    }
  }

  #hasBegun(): void {
    this.#began?.();
    this.#began = null;
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const { due_s } = this.core;
    if (due_s === null) return;
    const wait_ms = Math.max(0, (due_s - now_s()) * 1_000);
    this.#timer = window.setTimeout(() => this.input((core) => core.tick(now_s())), wait_ms);
  }

  #open(): void {
    this.#drop();
    const address = new URL("/api/v1/live", location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onopen = () => this.input((core) => core.opened());
    socket.onmessage = (message) => this.#receive(message.data);
    socket.onclose = (closed) => {
      this.#socket = null;
      this.input((core) => core.closed(closed.code || NO_CODE, now_s()));
    };
  }

  /** Forget the socket; what it still says is nothing to us. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #receive(data: unknown): void {
    let frame: ServerFrame;
    try {
      frame = JSON.parse(String(data)) as ServerFrame;
    } catch {
      return; // Not JSON: from no server of ours; the next heartbeat decides.
    }
    this.around.onFrame(frame);
    this.input((core) => core.take(frame, now_s()));
  }

  async #askWhy(): Promise<void> {
    const { status, retry_after_s } = await this.around.askWhy();
    this.input((core) => core.why(status, now_s(), retry_after_s));
  }

  async #get(room: string): Promise<void> {
    const answer = await this.around.getRoom(room);
    this.input((core) =>
      "status" in answer
        ? core.getFailed(room, answer.status, now_s(), answer.retry_after_s)
        : core.got(answer, now_s()),
    );
  }
}

function now_s(): number {
  return performance.now() / 1_000;
}
