// The stand-in's notices, wishes and bells: one of every fate and condition.
import { createHash } from "node:crypto";
import { minutes, ROOM } from "./mock-room.js";

const DAY = -24 * 60;
/** Kind, minutes ago, its state, and its steps: seconds after it, state, why. */
const MONTH = [
  ["done", -3, "read", [[0, "waiting", "attentive"], [2, "shown", "at_relay"], [60, "read", "at_room"]]],
  ["ending_soon", -8, "pushed", [[0, "waiting", "attentive"], [5, "due", "no_answer"], [5, "sending", ""], [6, "pushed", ""]]],
  ["reminder", -20, "unreachable", [[0, "due", "away"], [0, "unreachable", "no_subscription"]]],
  ["repaired", -60, "quiet", [[0, "quiet", "quiet_hours"]]],
  ["started", DAY, "app_only", [[0, "app_only", "kind"]]],
  ["hold_ended", DAY - 5, "declined", [[0, "declined", "wished"]]],
  ["machine_free", 2 * DAY, "unreachable", [[0, "sending", ""], [300, "unreachable", "http_403, timeout"]]],
  ["pickup_requested", 3 * DAY, "moot", [[0, "quiet", "quiet_hours"], [3600, "moot", "outdated"]]],
  ["owner_coming", 9 * DAY, "expired", [[0, "held", "catching_up"], [0, "expired", ""]]],
];

export function myNotices() {
  return MONTH.map(([kind, at, state, steps]) => ({
    notice: {
      id: createHash("md5").update(kind).digest("hex"),
      kind, room: ROOM, machine: "w1", params: { name: "Washer 1", minutes: 5 }, actions: null,
      caused_at: minutes(at), useful_until: minutes(at + 30),
    },
    told: ["pushed", "shown", "read"].includes(state),
    state,
    steps: steps.map(([after_s, step, why]) => ({ at: minutes(at + after_s / 60), state: step, why })),
  }));
}

const bell = (id, name, more = {}) => ({
  id, name, here: false, created_at: minutes(5 * DAY), seen_at: minutes(-30), expires_at: null,
  sent_at: minutes(-8), fault: null, lost: false, ...more,
});
let bells = [
  bell("b1", "Chrome on Android", { here: true }),
  bell("b2", "Firefox on Linux", { fault: { at: minutes(-90), kind: "http_429" } }),
  bell("b3", "Safari on iPhone", { lost: true, fault: { at: minutes(2 * DAY), kind: "http_410" } }),
  bell("b4", "Edge on Windows", { expires_at: minutes(-3 * DAY) }),
];
const OUTCOMES = [["accepted", ""], ["unanswered", "http_429"], ["dead", "http_410"], ["refused", "http_403"]];

export const wishes = { choices: { done: "app_only" }, quiet: null };

/** What the path answers, `[status, body]`; null: none of these. */
export function answerNotices(method, path, body) {
  if (path === "/me/notices") return [200, { notices: myNotices() }];
  if (path === "/me" && method === "PUT") Object.assign(wishes, body.wishes);
  if (path === "/push/subscriptions") {
    return method === "GET" ? [200, { subscriptions: bells }] : [204, undefined];
  }
  if (path.startsWith("/push/subscriptions/")) {
    bells = bells.filter(({ id }) => !path.endsWith(`/${id}`));
    return [204, undefined];
  }
  if (path !== "/push/test") return null;
  const tried = bells.map(({ id, name, here }, at) => {
    const [outcome, kind] = OUTCOMES[at % OUTCOMES.length];
    return { id, name, here, outcome, kind };
  });
  return [200, { tried }];
}
