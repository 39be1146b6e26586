/** Requests to the server that served this page. Same origin, cookie, JSON, problem documents. */

import type { Problem } from "../wire/types";

const BASE = "/api/v1";
/** A person waits: longer than the relay gives a room to answer, shorter than patience. */
const TIMEOUT_MS = 20_000;

/** The server refused; `code` is one of the contract's, or "not_understood". */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly detail: string,
    /** Seconds until it may be tried again, where the server says so. */
    readonly retry_after_s: number | null = null,
  ) {
    super(`${code}: ${detail}`);
    this.name = "Refusal";
  }
}

/** No answer came: no network, or the server is away. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("the server did not answer", { cause });
    this.name = "Unreachable";
  }
}

/** The code of what went wrong: the contract's, or "unreachable". */
export function codeOf(error: unknown): string {
  return error instanceof Refusal ? error.code : "unreachable";
}

/** The code of what went wrong, and the server's own words on it. */
export function problemOf(error: unknown): { code: string; detail: string } {
  return { code: codeOf(error), detail: error instanceof Refusal ? error.detail : "" };
}

/** How the server refused; without a status when it did not answer. */
export function refusedBy(error: unknown): { status: number | null; retry_after_s: number | null } {
  if (!(error instanceof Refusal)) return { status: null, retry_after_s: null };
  return { status: error.status, retry_after_s: error.retry_after_s };
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

/**
 * Ask the server. The answer is trusted to be what the contract says: it comes from our own origin.
 *
 * Throws Refusal for a problem document, Unreachable when nothing came.
 */
export async function ask<Answer>(method: Method, path: string, body?: unknown): Promise<Answer> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(BASE + path, {
      method,
      headers:
        body === undefined
          ? { Accept: "application/json" }
          : { Accept: "application/json", "Content-Type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (cause) {
    throw new Unreachable(cause);
  }
  if (response.ok) return (text === "" ? undefined : parsed(text, response.status)) as Answer;
  const problem = parsed(text, response.status) as Partial<Problem> | null;
  throw new Refusal(
    problem?.code ?? "not_understood",
    response.status,
    problem?.detail ?? "",
    seconds(response.headers.get("Retry-After")),
  );
}

function seconds(header: string | null): number | null {
  return header !== null && /^\d+$/.test(header) ? Number(header) : null;
}

function parsed(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal("not_understood", status, "");
  }
}
