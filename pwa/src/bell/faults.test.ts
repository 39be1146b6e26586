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
  ["fcm_unregistered", "gone"],
  ["fcm_quota_exceeded", "later"],
  ["fcm_internal", "later"],
  ["fcm_sender_id_mismatch", "refused"],
  ["fcm_credentials", "ours"],
  ["fcm_off", "ours"],
  ["http_4", "ours"],
  ["of a newer server", "ours"],
] as const)("%s: %s", (kind, found) => expect(faultClass(kind)).toBe(found));
