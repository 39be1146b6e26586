import { expect, test } from "vitest";
import { deviceName } from "./device_name";
import { addressIn, readFragment, readLang, readRoom } from "./fragment";

test.each([
  ["#join=ABCD-EFGH", { kind: "join", value: "ABCD-EFGH" }],
  ["#link=K7PM3XQT", { kind: "link", value: "K7PM3XQT" }],
  ["#voucher=aaa.bbb.c-_c", { kind: "voucher", value: "aaa.bbb.c-_c" }],
  ["#join=", null],
  ["#other=1", null],
  ["", null],
] as const)("the fragment %j brings %j", (hash, given) =>
  expect(readFragment(hash)).toEqual(given));

test("a notification's address names its room, and is no code", () => {
  expect(readRoom("#room=maple-hall.basement")).toBe("maple-hall.basement");
  expect(readFragment("#room=maple-hall.basement")).toBeNull();
  expect(readRoom("#join=ABCD-EFGH")).toBeNull();
});

test("a device is named as its owner would", () => {
  const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1";
  expect(deviceName(iphone)).toBe("Safari on iPhone");
  expect(deviceName("Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Safari/537.36")).toBe(
    "Chrome on Android",
  );
  const ipad = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.4 Safari/605.1.15";
  expect(deviceName(ipad, 5)).toBe("Safari on iPad");
  expect(deviceName(ipad)).toBe("Safari on Mac");
  expect(deviceName("")).toBe("Browser");
});

test.each([
  ["#voucher=a.b.c&lang=ko", "ko"],
  ["#voucher=a.b.c", null],
  ["#lang=xx", null],
] as const)("the fragment %j brings the language %j", (hash, lang) => expect(readLang(hash)).toBe(lang));

test.each([
  ["The relay is https://laundry.example.org.", "https://laundry.example.org"],
  ["The relay is http://127.0.0.1:8080.", "http://127.0.0.1:8080"],
  ["Somewhere else.", null],
] as const)("%j names %j", (sentence, address) => expect(addressIn(sentence)).toBe(address));
