import { describe, expect, test } from "vitest";
import { TEXTS } from "../texts/texts";
import { deviceOf } from "./browser";
import { decide, RENEWED_BEFORE_MS, WARNED_BEFORE_MS, wantsRenewal, type Facts } from "./decide";

const NOW = Date.parse("2026-11-23T20:00:00Z");
const DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36";
const iphone = (os: string, rest = "Version/18.4 Mobile/15E148 Safari/604.1") =>
  `Mozilla/5.0 (iPhone; CPU iPhone OS ${os} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ${rest}`;

/** A page at the relay in Chrome on a computer, where nothing was done yet. */
function facts(more: Partial<Facts> = {}, agent = DESKTOP, touch = 0): Facts {
  return {
    secure: true,
    can_push: true,
    standalone: false,
    device: deviceOf(agent, touch),
    server_pushes: true,
    permission: "default",
    asking: false,
    subscribed: false,
    ends_at_ms: null,
    lost: false,
    failure: null,
    ...more,
  };
}
const bell = (...args: Parameters<typeof facts>) => decide(facts(...args), NOW);

describe("off", () => {
  test("until it is switched on", () =>
    expect(bell()).toEqual({ state: "off", why: "never", failure: null }));
  test("because its push service let go of it", () =>
    expect(bell({ permission: "granted", lost: true })).toEqual({
      state: "off",
      why: "lost",
      failure: null,
    }));
  test("because the question was closed, or the push service did not answer", () => {
    expect(bell({ failure: "dismissed" })).toMatchObject({ state: "off", failure: "dismissed" });
    expect(bell({ failure: { code: "endpoint_refused" } })).toMatchObject({
      failure: { code: "endpoint_refused" },
    });
  });
  test("where the permission was taken back, whatever the server keeps", () =>
    expect(bell({ subscribed: true, permission: "default" }).state).toBe("off"));
});

describe("asking", () => {
  test("while it is being switched on", () => expect(bell({ asking: true }).state).toBe("asking"));
  test("until the answer is worked off", () =>
    expect(bell({ asking: true, permission: "denied" }).state).toBe("asking"));
});

describe("on", () => {
  const on = { permission: "granted", subscribed: true } as const;
  test("with no end in sight", () =>
    expect(bell(on)).toEqual({ state: "on", ends_at_ms: null, failure: null }));
  test.each([
    [WARNED_BEFORE_MS + 1, null],
    [WARNED_BEFORE_MS - 1, NOW + WARNED_BEFORE_MS - 1],
    [-1, NOW - 1],
  ])("ending %d ms from now", (left_ms, said) =>
    expect(bell({ ...on, ends_at_ms: NOW + left_ms })).toMatchObject({ ends_at_ms: said }));
  test("what ends is renewed by itself, before it is said", () => {
    expect(wantsRenewal(null, NOW)).toBe(false);
    expect(wantsRenewal(NOW + RENEWED_BEFORE_MS, NOW)).toBe(false);
    expect(wantsRenewal(NOW + RENEWED_BEFORE_MS - 1, NOW)).toBe(true);
    expect(RENEWED_BEFORE_MS).toBeGreaterThan(WARNED_BEFORE_MS);
  });
});

describe("blocked, with how to unblock in this very browser", () => {
  test.each([
    ["chrome", DESKTOP, false],
    ["chrome", DESKTOP, true],
    ["chrome_android", ANDROID, false],
    ["android_app", ANDROID, true],
    ["edge", `${DESKTOP} Edg/156.0.0.0`, false],
    ["firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", false],
    ["firefox_android", "Mozilla/5.0 (Android 15; Mobile; rv:153.0) Gecko/153.0 Firefox/153.0", false],
    ["safari", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15", false],
    ["samsung", ANDROID.replace("Chrome", "SamsungBrowser/29.0 Chrome"), false],
    ["home_screen_app", iphone("18_4"), true],
    ["other", "Mozilla/5.0 (X11; Linux x86_64) Something/1.0", false],
  ] as const)("%s", (how, agent, standalone) => {
    expect(bell({ permission: "denied", standalone }, agent)).toEqual({ state: "blocked", how });
    expect(TEXTS.ko[`unblock.${how}`].split("\n").length).toBe(TEXTS.en[`unblock.${how}`].split("\n").length);
  });
});

describe("impossible here", () => {
  test.each([
    ["plain_http", { secure: false, can_push: false }, iphone("16_1"), 5],
    ["plain_http", { secure: false, can_push: false, server_pushes: null }, DESKTOP, 0],
    ["room_page", { server_pushes: false }, DESKTOP, 0],
    ["room_page", { server_pushes: false, can_push: false }, iphone("18_4"), 5],
    ["home_screen", { can_push: false }, iphone("16_4"), 5],
    ["home_screen", { can_push: false, server_pushes: null }, iphone("17_0"), 5],
    ["home_screen", { can_push: false }, iphone("18_4", "CriOS/156.0 Mobile/15E148 Safari/604.1"), 5],
    ["home_screen", { can_push: false }, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15", 5],
    ["ios_old", { can_push: false }, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/16.3 Safari/605.1.15", 5],
    ["ios_old", { can_push: false }, iphone("16_3"), 5],
    ["ios_old", { can_push: false, standalone: true }, iphone("15_8"), 5],
    ["no_push", { can_push: false, standalone: true }, iphone("17_2"), 5],
    ["in_app", { can_push: false }, iphone("18_4", "Mobile/15E148 KAKAOTALK 25.1.0"), 5],
    ["in_app", { can_push: false }, `${ANDROID} NAVER(inapp; search; 1000; 12.0)`, 5],
    ["no_push", { can_push: false }, DESKTOP, 0],
    ["finding_out", { server_pushes: null }, DESKTOP, 0],
  ] as const)("%s", (why, more, agent, touch) =>
    expect(bell(more, agent, touch)).toEqual({ state: "impossible", why }));
  test("goes before everything else", () =>
    expect(bell({ secure: false, asking: true, permission: "denied", subscribed: true }).state).toBe(
      "impossible",
    ));
});

test("a browser that can push is never told that it cannot, whatever it is called", () =>
  expect(bell({}, `${ANDROID} Instagram 400.0`).state).toBe("off"));
