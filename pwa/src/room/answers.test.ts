import { expect, test, vi } from "vitest";
import { TEXTS } from "../texts/texts";
import { tables } from "../wire/tables";
import type { Refused } from "../state/commands";

vi.stubGlobal("navigator", { languages: ["en-GB"] });
const { refusalText } = await import("./answers");

const at = new Date(2026, 10, 23, 20, 4, 20).getTime();
const refused = (more: Partial<Refused>): Refused => ({
  name: "request_pickup",
  code: "rate_limited",
  retry_at_ms: at,
  ...more,
});

test("asked a moment ago: from when it may be asked again, never too early", () =>
  expect(refusalText("en", refused({}))).toBe(
    "The owner was asked a moment ago. You can ask again from 20:05.",
  ));
test("any other limit names the time, too", () =>
  expect(refusalText("en", refused({ name: "report_fault" }))).toContain("20:05"));
test("without a time the general sentence", () =>
  expect(refusalText("ko", refused({ retry_at_ms: null }))).toBe(TEXTS.ko["error.rate_limited"]));
test("an owner who takes no requests: what to do instead", () =>
  expect(refusalText("ko", refused({ code: "pickup_muted" }))).toBe(TEXTS.ko["error.pickup_muted"]));

test.each([
  "illegal_move",
  "not_yours",
  "already_holding",
  "unknown_programme",
  "pickup_muted",
  "nobody_asked",
  "free_now",
  "rate_limited",
  "edge_offline",
  "edge_timeout",
  "expired",
  "invalid_body",
  "unknown_command",
  "unknown_machine",
  "busy",
  "internal",
] as const)("a command that is refused with %s has a sentence of its own", (code) => {
  expect(tables.errors).toHaveProperty(code);
  expect(TEXTS.ko).toHaveProperty([`error.${code}`]);
});
