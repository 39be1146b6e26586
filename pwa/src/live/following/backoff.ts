/** When to come back after a lost connection. Pure. */

import type { Backoff as Rule } from "../../wire/types";

/** Until the first welcome says the server's own. */
export const FIRST_BACKOFF: Rule = { first_s: 1, factor: 2, cap_s: 30, jitter: "full" };

/** Spans that grow from try to try, each spread over its whole length: full jitter. */
export class Backoff {
  rule: Rule = FIRST_BACKOFF;
  #span_s: number | null = null;

  /** `random` returns a number in [0, 1). */
  constructor(private readonly random: () => number) {}

  /** Begin with the first span again. */
  reset(): void {
    this.#span_s = null;
  }

  /** Seconds before the next try. */
  nextWait_s(): number {
    const grown_s = this.#span_s === null ? this.rule.first_s : this.#span_s * this.rule.factor;
    this.#span_s = Math.min(this.rule.cap_s, grown_s);
    return this.random() * this.#span_s;
  }
}
