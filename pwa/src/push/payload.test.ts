import { expect, test } from "vitest";
import { ownPath, readPayload } from "./payload";

const ORIGIN = "https://laundry.example";
const declarative = (notification: object) => JSON.stringify({ web_push: 8030, notification });

test("a declarative payload is shown as it says", () =>
  expect(
    readPayload(
      declarative({ title: "다 됐어요", body: "세탁기 1", lang: "ko", tag: "ab12", navigate: `${ORIGIN}/?n=1` }),
      ORIGIN,
    ),
  ).toEqual({ title: "다 됐어요", body: "세탁기 1", lang: "ko", tag: "ab12", navigate: "/?n=1", silent: false }));

test("silent is what its writer said, and nothing else is", () => {
  expect(readPayload(declarative({ title: "x", silent: true }), ORIGIN).silent).toBe(true);
  expect(readPayload(declarative({ title: "x", silent: "yes" }), ORIGIN).silent).toBe(false);
});

test.each([null, "", "not json", "[]", "null", "{}", '{"notification":[]}', declarative({ title: 7 })])(
  "%j is shown with the general text, never suppressed",
  (text) => expect(readPayload(text, ORIGIN).title).toBe("laundryd"),
);

test.each(["https://evil.example/x", "//evil.example", "javascript:alert(1)", "http://[", null])(
  "%j leads to our own start page",
  (address) => expect(ownPath(address, ORIGIN)).toBe("/"),
);
