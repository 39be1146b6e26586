import { expect, test } from "vitest";
import type { FcmWeb } from "../wire/types";
import { FCM_AGAIN_AFTER_MS, fcmFor } from "./way";

const NOW = Date.parse("2026-11-23T20:00:00Z");
const fcm: FcmWeb = {
  project_id: "laundry-test",
  api_key: "k".repeat(39),
  app_id: "1:123456789012:web:0123456789abcdef",
  sender_id: "123456789012",
  vapid_key: "B" + "A".repeat(86),
};

test("an Android device registers with the relay's project", () =>
  expect(fcmFor({ fcm, android: true, failed_at_ms: null }, NOW)).toBe(fcm));

test("a relay without a project has Web Push alone, on Android too", () =>
  expect(fcmFor({ fcm: null, android: true, failed_at_ms: null }, NOW)).toBeNull());

test("other devices' push services are spoken to themselves", () =>
  expect(fcmFor({ fcm, android: false, failed_at_ms: null }, NOW)).toBeNull());

test.each([
  [0, null],
  [FCM_AGAIN_AFTER_MS - 1, null],
  [FCM_AGAIN_AFTER_MS, fcm],
  [-FCM_AGAIN_AFTER_MS, fcm],
])("%d ms after it could not be had", (ago, found) =>
  expect(fcmFor({ fcm, android: true, failed_at_ms: NOW - ago }, NOW)).toBe(found));
