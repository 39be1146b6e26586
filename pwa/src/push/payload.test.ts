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
  ).toEqual({ title: "다 됐어요", body: "세탁기 1", lang: "ko", tag: "ab12", navigate: "/?n=1", silent: false, actions: [], about: null }));

test("a message of FCM's is shown as it says, and leads where its link does", () => {
  const notification = { title: "Done", body: "Washer 1", lang: "en", tag: "ab12", data: about };
  const said = { notification, data: {}, from: "1", fcmMessageId: "2", fcmOptions: { link: `${ORIGIN}/#room=a.b` } };
  expect(readPayload(JSON.stringify(said), ORIGIN)).toEqual({ ...notification, data: undefined, navigate: "/#room=a.b", silent: false, actions: [], about });
  const own = { ...notification, navigate: `${ORIGIN}/#room=c.d` };
  expect(readPayload(JSON.stringify({ ...said, notification: own }), ORIGIN).navigate).toBe("/#room=c.d");
  expect(readPayload(JSON.stringify({ notification, fcmOptions: { link: "https://evil.example/" } }), ORIGIN).navigate).toBe("/");
});

test("silent is what its writer said, and nothing else is", () => {
  expect(readPayload(declarative({ title: "x", silent: true }), ORIGIN).silent).toBe(true);
  expect(readPayload(declarative({ title: "x", silent: "yes" }), ORIGIN).silent).toBe(false);
});

const about = { notice_id: "0123456789abcdef0123456789abcdef", room: "a.b", machine: "w1" };
const button = (action: string) => ({ action, title: action.toUpperCase(), navigate: ORIGIN });

test("its buttons are those of a machine's notice, two at most", () => {
  const said = { title: "x", data: { ...about, kind: "done" }, actions: ["a", "b", "c"].map(button) };
  const shown = readPayload(declarative(said), ORIGIN);
  expect(shown.actions).toEqual([{ action: "a", title: "A" }, { action: "b", title: "B" }]);
  expect(shown.about).toEqual(about);
});

test.each([
  { data: { ...about, machine: null }, actions: [button("a")] },
  { actions: [button("a")] },
  { data: about, actions: "coming" },
  { data: about, actions: [null, "a", { action: "a" }, { title: "A" }, { action: 1, title: 2 }] },
])("%j has no buttons", (said) =>
  expect(readPayload(declarative({ title: "x", ...said }), ORIGIN).actions).toEqual([]));

test.each([null, "", "not json", "[]", "null", "{}", '{"notification":[]}', declarative({ title: 7 })])(
  "%j is shown with the general text, never suppressed",
  (text) => expect(readPayload(text, ORIGIN).title).toBe("laundryd"),
);

test.each(["https://evil.example/x", "//evil.example", "javascript:alert(1)", "http://[", null])(
  "%j leads to our own start page",
  (address) => expect(ownPath(address, ORIGIN)).toBe("/"),
);
