import { expect, test } from "vitest";
import { faultClass } from "./faults";

test.each([
  ["http_404", "gone"],
  ["http_410", "gone"],
  ["key_dropped", "key"],
  ["http_403", "refused"],
  ["http_413", "refused"],
  ["http_302", "refused"],
  ["http_408", "later"],
  ["http_429", "later"],
  ["http_503", "later"],
  ["timeout", "unreached"],
  ["tls", "unreached"],
  ["unusable_keys", "ours"],
  ["http_4", "ours"],
  ["of a newer server", "ours"],
] as const)("%s: %s", (kind, found) => expect(faultClass(kind)).toBe(found));
