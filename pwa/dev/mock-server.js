// A stand-in for the server, in `npm run dev` alone: one room, answers like the relay's, no rules.
import { createHash } from "node:crypto";

const minutes = (n) => new Date(Date.now() + n * 60_000).toISOString();
const machine = (id, kind, name, phase, more) => ({
  machine: id, kind, name, phase, since: minutes(-7), sensor: "ok", has_owner: false,
  held_until: null, started_at: null, ends_at: null, ended_at: null, ...more,
});

const ROOM = "maple-hall.basement";
const running = { has_owner: true, started_at: minutes(-20), ends_at: minutes(23) };
const machines = [
  machine("w1", "washer", "Washer 1", "in_use", running),
  machine("w2", "washer", "Washer 2", "free"),
  machine("w3", "washer", "Washer 3", "claimed", { has_owner: true, held_until: minutes(8) }),
  machine("w4", "washer", "Washer 4", "in_use", { started_at: minutes(-31), sensor: "silent" }),
  machine("d1", "dryer", "Dryer 1", "finished", { has_owner: true, ended_at: minutes(-4) }),
  machine("d2", "dryer", "Dryer 2", "out_of_order", { sensor: "none" }),
];
const state = {
  joined: true, offset: 1, lang: "en", online: true,
  mine: [{ room: ROOM, machine: "d1" }],
  claims: [{ room: ROOM, machine: "w3", held_until: minutes(8) }],
};
const AFTER = {
  claim: "claimed", arrive: "arrived", start: "in_use", adopt: null, release: "free", collect: "free",
};

const frame = (value) => {
  const body = Buffer.from(JSON.stringify(value));
  const head = body.length < 126 ? [0x81, body.length] : [0x81, 126, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from(head), body]);
};

/** Yield the texts of one chunk of masked frames; a mock's chunks are whole frames. */
function* texts(data) {
  for (let at = 0; at + 6 <= data.length; ) {
    let size = data[at + 1] & 127;
    const mask = at + (size === 126 ? 4 : 2);
    if (size === 126) size = data.readUInt16BE(at + 2);
    const body = data.subarray(mask + 4, mask + 4 + size).map((b, i) => b ^ data[mask + (i % 4)]);
    if ((data[at] & 15) === 1) yield Buffer.from(body).toString();
    at = mask + 4 + size;
  }
}

const mine = () => ({ type: "mine", machines: state.mine, claims: state.claims, watches: [] });

function act(socket, { id, machine: name, name: word, params }) {
  const held = machines.find((m) => m.machine === name);
  held.phase = AFTER[word] ?? held.phase;
  held.has_owner = held.phase !== "free";
  held.since = minutes(0);
  held.started_at = held.phase === "in_use" ? minutes(0) : null;
  held.ends_at = params?.minutes ? minutes(params.minutes) : null;
  const here = { room: ROOM, machine: name, held_until: minutes(10) };
  state.claims = state.claims.filter((c) => c.machine !== name);
  state.mine = state.mine.filter((m) => m.machine !== name);
  if (["claimed", "arrived"].includes(held.phase)) state.claims.push(here);
  if (["in_use", "finished"].includes(held.phase)) state.mine.push(here);
  held.held_until = ["claimed", "arrived"].includes(held.phase) ? here.held_until : null;
  const event = {
    room: ROOM, epoch: "mock", offset: ++state.offset, follows: state.offset - 1,
    at: minutes(0), cause: "claimed", machine: held,
  };
  socket.write(frame({ type: "batch", events: [event] }));
  socket.write(frame(mine()));
  socket.write(frame({ type: "result", id, ok: true, position: null, error: null, durable: true }));
}

function greet(socket) {
  const clock = { at: minutes(0), speed: 1 };
  const backoff = { first_s: 1, factor: 2, cap_s: 4, jitter: "full" };
  const resume = { epoch: "mock", offset: state.offset, was_recovering: true, recovered: true };
  socket.write(frame({
    type: "welcome", session_id: "mock-session", heartbeat_s: 30, batch_ms: 100, backoff, clock,
    rooms: { [ROOM]: resume },
  }));
  socket.write(frame(mine()));
  socket.write(frame({
    type: "notice", id: createHash("md5").update(String(Date.now())).digest("hex"), kind: "done",
    room: ROOM, machine: "d1", params: { name: "Dryer 1" }, caused_at: minutes(-4),
    useful_until: minutes(600),
  }));
}

function upgrade(request, socket) {
  if (request.url !== "/api/v1/live") return;
  const key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const accept = createHash("sha1").update(key).digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on("error", () => undefined);
  socket.on("data", (data) => {
    for (const text of texts(data)) {
      const said = JSON.parse(text);
      if (said.type === "identify") greet(socket);
      if (said.type === "ping") socket.write(frame({ type: "pong" }));
      if (said.type === "command") setTimeout(() => act(socket, said), 400);
    }
  });
}

/** What the path answers, `[status, body]`. `?mock=` settings are paths below /api/v1/mock. */
function answer(method, path) {
  const [, word, value] = /^\/mock\/(\w+)\/(\w+)$/.exec(path) ?? [];
  if (word) return [200, { [word]: (state[word] = value === "true" || (value !== "false" && value)) }];
  if (path === "/join" || path === "/devices/link") {
    return [403, { code: "join_code_invalid", status: 403, title: "", detail: "", type: "" }];
  }
  if (!state.joined) return [401, { code: "unauthenticated", status: 401, detail: "" }];
  const edge = { online: state.online, since: minutes(-3) };
  const rooms = [{ room: ROOM, name: "Maple Hall, basement", local_url: "http://127.0.0.1:8080/" }];
  if (path === "/me") return [200, { resident: "r", device: "d", lang: state.lang, rooms, push: false }];
  if (path === `/rooms/${ROOM}`) {
    const position = { epoch: "mock", offset: state.offset };
    return [200, { room: ROOM, name: rooms[0].name, position, at: minutes(0), edge, durable: true, machines }];
  }
  if (path === "/devices/link-code") return [200, { code: "K7PM-3XQT", expires_at: minutes(10) }];
  if (path === "/push/key") return [200, { key: "B".repeat(87) }];
  return [404, { code: "not_found", status: 404, detail: method }];
}

export function mockServer() {
  return {
    name: "mock-server",
    apply: "serve",
    configureServer(server) {
      server.httpServer?.on("upgrade", upgrade);
      server.middlewares.use("/api/v1", (request, response) => {
        const [status, body] = answer(request.method, request.url);
        response.writeHead(status, { "Content-Type": "application/json" });
        response.end(JSON.stringify(body));
      });
    },
  };
}
