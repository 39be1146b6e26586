// The stand-in's room: scenes with every phase in them, and roughly what a command does. No rules.
export const ROOM = "maple-hall.basement";
export const minutes = (n) => new Date(Date.now() + n * 60_000).toISOString();

const KINDS = { w: "washer", d: "dryer", c: "washer_dryer" };
const NAMES = {
  en: { w: "Washer", d: "Dryer", c: "Washer-dryer" },
  ko: { w: "세탁기", d: "건조기", c: "세탁건조기" },
};

const machine = (id, phase, more = {}) => ({
  machine: id, kind: KINDS[id[0]], phase, since: minutes(-7), sensor: "ok",
  has_owner: ["claimed", "arrived"].includes(phase), held_until: null, started_at: null,
  ends_at: null, ends_confidence: null, ended_at: null, programme: null, pickup_requested_at: null,
  owner_coming_at: null, fault_reported_at: null, silent_since: null, ...more,
});
const runs = (left, more = {}) => ({ started_at: minutes(left - 50), ends_at: minutes(left), ...more });
const owned = (more = {}) => ({ has_owner: true, ...more });
const done = (ago, more = {}) => ({ started_at: minutes(-50 - ago), ended_at: minutes(-ago), ...more });
/** Each: machines, and what of them is the reader's. */
const SCENES = {
  phases: (held) => ({
    machines: [
      machine("w1", "free"),
      machine("w2", "claimed", held),
      machine("w3", "claimed", held),
      machine("w4", "arrived", held),
      machine("w5", "arrived", held),
      machine("w6", "in_use", owned(runs(12, { programme: "cotton-40" }))),
      machine("w7", "in_use", owned(runs(38, { ends_confidence: 0.9 }))),
      machine("w8", "in_use", runs(25, { ends_confidence: 0.4 })),
      machine("w9", "in_use", owned({ started_at: minutes(-31), sensor: "silent", silent_since: minutes(-14) })),
      machine("d1", "finished", owned(done(4, { pickup_requested_at: minutes(-2) }))),
      machine("d2", "finished", owned(done(22))),
      machine("d3", "finished", owned(done(9, {
        pickup_requested_at: minutes(-5), owner_coming_at: minutes(-3),
      }))),
      machine("d4", "finished", done(95)),
      machine("d5", "in_use", owned(runs(0.4, { ends_confidence: 0.9, fault_reported_at: minutes(-80) }))),
      machine("d6", "out_of_order", { sensor: "none", fault_reported_at: minutes(-300) }),
      machine("c1", "finished", owned(done(3, { sensor: "none" }))),
      machine("c2", "in_use", owned(runs(3, { ends_confidence: 0.3 }))),
      machine("c3", "free", { sensor: "silent", silent_since: minutes(-14), fault_reported_at: minutes(-30) }),
    ],
    mine: ["w6", "d1", "c1"],
    claims: ["w2", "w4"],
  }),
  full: () => ({
    machines: [
      machine("w1", "in_use", owned(runs(12))),
      machine("w2", "in_use", owned(runs(38, { ends_confidence: 0.9 }))),
      machine("w3", "finished", owned(done(14))),
      machine("d1", "in_use", owned({ started_at: minutes(-12) })),
      machine("d2", "out_of_order"),
      machine("c1", "in_use", owned(runs(155, { ends_confidence: 0.8 }))),
    ],
    mine: ["w3"],
    claims: [],
  }),
  wall: (held) => ({
    machines: [
      machine("w1", "free"),
      machine("w2", "in_use", owned(runs(12, { ends_confidence: 0.9, programme: "cotton-40" }))),
      machine("w3", "claimed", held),
      machine("w4", "in_use", owned(runs(41, { ends_confidence: 0.5 }))),
      machine("w5", "free"),
      machine("w6", "finished", owned(done(6, { pickup_requested_at: minutes(-2) }))),
      machine("w7", "out_of_order", { fault_reported_at: minutes(-90) }),
      machine("w8", "in_use", { started_at: minutes(-20), sensor: "silent", silent_since: minutes(-14) }),
      machine("d1", "in_use", owned(runs(0.5, { ends_confidence: 0.9 }))),
      machine("d2", "in_use", owned(runs(33))),
      machine("d3", "finished", owned(done(25, { owner_coming_at: minutes(-1), pickup_requested_at: minutes(-3) }))),
      machine("d4", "arrived", held),
    ],
    mine: [],
    claims: [],
  }),
};

export const state = {
  joined: true, offset: 1, lang: "en", online: true, durable: true, relay: true,
  machines: [], mine: [], claims: [], watches: [], muted: [],
};

export function setScene(name) {
  const scene = SCENES[name] ?? SCENES.phases;
  const held = { held_until: minutes(8) };
  const { machines, mine, claims } = scene(held);
  const here = (id) => ({ room: ROOM, machine: id });
  Object.assign(state, {
    machines, watches: [], muted: [], offset: state.offset + 1,
    mine: mine.map(here), claims: claims.map((id) => ({ ...here(id), ...held })),
  });
}
setScene("phases");

export const PROGRAMMES = {
  en: [["cotton-40", "washer", "Cotton 40°", 72], ["quick", "washer", "Quick wash", 28],
    ["wool", "washer", "Wool and delicates", 45], ["cupboard-dry", "dryer", "Cupboard dry", 110]],
  ko: [["cotton-40", "washer", "표준 40도", 72], ["quick", "washer", "급속", 28],
    ["wool", "washer", "울·섬세", 45], ["cupboard-dry", "dryer", "표준 건조", 110]],
};

export const views = () => state.machines.map(view);
function view(held) {
  return { ...held, name: `${NAMES[state.lang][held.machine[0]]} ${held.machine.slice(1)}` };
}

export const mine = () => ({
  type: "mine", machines: state.mine, claims: state.claims, watches: state.watches,
  pickup_muted: state.muted,
});

const AFTER = {
  claim: "claimed", arrive: "arrived", start: "in_use", adopt: null, release: "free", collect: "free",
};

/** Refusals worth seeing: w.. of others take no requests, d2 was asked a moment ago. */
function refusal(word, held) {
  if (word === "request_pickup" && held.kind === "washer") return { code: "pickup_muted" };
  if (word === "request_pickup" && held.pickup_requested_at) {
    return { code: "rate_limited", retry_after_s: 200 };
  }
  if (word === "watch" && held.kind === "washer_dryer") return { code: "free_now" };
  return null;
}

/** Carry a command out; what to tell everybody, as `{event}` or `{error}`. */
export function act({ machine: name, name: word, params = {} }) {
  const held = state.machines.find((m) => m.machine === name);
  const error = refusal(word, held);
  if (error) return { error: { message: "", retry_after_s: null, ...error } };
  const here = { room: ROOM, machine: name };
  if (word === "watch") state.watches.push({ room: ROOM, kind: held.kind, told_until: null });
  if (word === "unwatch") state.watches = state.watches.filter((w) => w.kind !== held.kind);
  if (word === "mute_pickup") state.muted = [ROOM];
  if (word === "unmute_pickup") state.muted = [];
  if (word === "request_pickup") held.pickup_requested_at = minutes(0);
  if (word === "coming") held.owner_coming_at = minutes(0);
  if (word === "report_fault") held.fault_reported_at = minutes(0);
  if (word === "extend") {
    const from = Math.max(Date.now(), Date.parse(held.ends_at ?? minutes(0)));
    held.phase = "in_use";
    held.ends_at = new Date(from + params.minutes * 60_000).toISOString();
  }
  if (word in AFTER) {
    const phase = AFTER[word] ?? held.phase;
    const programme = PROGRAMMES.en.find(([slug]) => slug === params.programme);
    const length = params.minutes ?? programme?.[3];
    Object.assign(held, machine(name, phase, {
      ...(word === "adopt" ? held : {}), sensor: held.sensor, fault_reported_at: held.fault_reported_at,
      has_owner: phase !== "free", since: minutes(0), programme: params.programme ?? null,
      held_until: ["claimed", "arrived"].includes(phase) ? minutes(10) : null,
    }));
    if (word === "start") Object.assign(held, { started_at: minutes(0), ends_at: length ? minutes(length) : null });
    state.claims = state.claims.filter((c) => c.machine !== name);
    state.mine = state.mine.filter((m) => m.machine !== name);
    if (held.held_until) state.claims.push({ ...here, held_until: held.held_until });
    if (["in_use", "finished"].includes(phase)) state.mine.push(here);
  }
  return { event: event("claimed", held) };
}

function event(cause, held) {
  const follows = state.offset;
  return {
    room: ROOM, epoch: "mock", offset: ++state.offset, follows, at: minutes(0), cause, machine: view(held),
  };
}

/** A plug falls silent; one of a kind becomes free and the watchers' turn comes. */
export function happen(what, name) {
  const held = state.machines.find((m) => m.machine === name);
  if (what === "silent") Object.assign(held, { sensor: "silent", silent_since: minutes(0) });
  if (what === "free") {
    Object.assign(held, machine(name, "free", { since: minutes(0) }));
    state.mine = state.mine.filter((m) => m.machine !== name);
    for (const watch of state.watches) if (watch.kind === held.kind) watch.told_until = minutes(3);
  }
  return event(what === "silent" ? "sensor_changed" : "collected", held);
}
