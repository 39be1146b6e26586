/** The live socket: opens, identifies, listens for its heart, comes back. What frames mean is not
 * known here. */

import type { Backoff, ClientFrame, Identify, ServerFrame } from "../wire/types";
import { DEFAULT_BACKOFF, delay_s, TRIES_BEFORE_OFFLINE } from "./backoff";
import { mayReconnect, REPLACED } from "./close_codes";

/** `stopped`: the server ended it for good, see `onFinal`. */
export type ConnectionState = "connecting" | "live" | "offline" | "stopped";

export interface Handlers {
  identify(): Identify;
  onFrame(frame: ServerFrame): void;
  onState(state: ConnectionState): void;
  /** A close code that is final, or a handshake that was refused: find out why. */
  onFinal(code: number): void;
  /** Another page took this session over; the next identify must not name it. */
  onReplaced(): void;
}

/** A server that accepts a socket and says nothing is as good as none. */
const WELCOME_TIMEOUT_S = 10;
/** After waking, a socket that does not answer this soon is dead. */
const WAKE_TIMEOUT_S = 5;
const DEFAULT_HEARTBEAT_S = 30;

export class Connection {
  #socket: WebSocket | null = null;
  #welcomed = false;
  #attempt = 0;
  #backoff: Backoff = DEFAULT_BACKOFF;
  #heartbeat_s = DEFAULT_HEARTBEAT_S;
  #retry: number | undefined;
  #silence: number | undefined;
  #running = false;

  constructor(private readonly handlers: Handlers) {}

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#attempt = 0;
    window.addEventListener("online", this.wake);
    window.addEventListener("pageshow", this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.handlers.onState("connecting");
    this.#open();
  }

  stop(state: ConnectionState = "stopped"): void {
    this.#running = false;
    clearTimeout(this.#retry);
    window.removeEventListener("online", this.wake);
    window.removeEventListener("pageshow", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    this.#drop();
    this.handlers.onState(state);
  }

  /** Send when the server has welcomed us; false: it was not sent. */
  send(frame: ClientFrame): boolean {
    if (!this.#welcomed || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** The page came back to life: try at once, or ask a socket that looks alive whether it is. */
  readonly wake = (): void => {
    if (!this.#running || document.visibilityState === "hidden") return;
    if (this.#socket === null) {
      clearTimeout(this.#retry);
      this.#open();
    } else if (this.send({ type: "ping" })) {
      this.#expectWithin(WAKE_TIMEOUT_S);
    }
  };

  #open(): void {
    const address = new URL("/api/v1/live", location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    let opened = false;
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#welcomed = false;
    this.#expectWithin(WELCOME_TIMEOUT_S);
    socket.onopen = () => {
      opened = true;
      socket.send(JSON.stringify(this.handlers.identify()));
    };
    socket.onmessage = (message) => this.#receive(message.data);
    socket.onclose = (closed) => this.#closed(closed.code, opened);
  }

  #receive(data: unknown): void {
    let frame: ServerFrame;
    try {
      frame = JSON.parse(String(data)) as ServerFrame;
    } catch {
      return; // Not JSON: from no server of ours; the next heartbeat decides.
    }
    if (frame.type === "welcome") {
      this.#welcomed = true;
      this.#attempt = 0;
      this.#backoff = frame.backoff;
      this.#heartbeat_s = frame.heartbeat_s;
      this.handlers.onState("live");
    }
    this.#expectWithin(this.#heartbeat_s, this.#welcomed);
    if (frame.type === "ping") this.send({ type: "pong" });
    else if (frame.type !== "pong") this.handlers.onFrame(frame);
  }

  /** Come back unless something is heard in `seconds`; `asking`: send a ping first, wait once more. */
  #expectWithin(seconds: number, asking = false): void {
    clearTimeout(this.#silence);
    this.#silence = window.setTimeout(() => {
      if (asking && this.send({ type: "ping" })) this.#expectWithin(seconds);
      else this.#lost();
    }, seconds * 1_000);
  }

  #closed(code: number, opened: boolean): void {
    if (code === REPLACED) this.handlers.onReplaced();
    else if (!mayReconnect(code)) {
      this.stop();
      this.handlers.onFinal(code);
      return;
    } else if (!opened) {
      // A browser cannot read a refused handshake: HTTP says whether it was our token.
      this.handlers.onFinal(code);
    }
    this.#lost();
  }

  #lost(): void {
    this.#drop();
    if (!this.#running) return;
    const wait_s = delay_s(this.#backoff, this.#attempt, Math.random());
    this.#attempt += 1;
    this.handlers.onState(this.#attempt > TRIES_BEFORE_OFFLINE ? "offline" : "connecting");
    clearTimeout(this.#retry);
    this.#retry = window.setTimeout(() => this.#open(), wait_s * 1_000);
  }

  /** Forget the socket; what it still says is nothing to us. */
  #drop(): void {
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#socket = null;
    this.#welcomed = false;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
