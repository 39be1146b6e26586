// A stand-in for the server, in `npm run dev` alone: one room, answers like the relay's, no rules.
//
// /api/v1/mock/WORD/VALUE sets something: scene/phases|full|wall, lang/ko|en, online/true|false,
// durable/true|false, joined/true|false, silent/w6, free/w1, relay/true|false: whether it is a relay.
import { createHash } from "node:crypto";
import { answerNotices, wishes } from "./mock-notices.js";
import { act, happen, mine, minutes, PROGRAMMES, ROOM, setScene, state, views } from "./mock-room.js";

const sockets = new Set();

const frame = (value) => {
  const body = Buffer.from(JSON.stringify(value));
  const head = body.length < 126 ? [0x81, body.length] : [0x81, 126, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from(head), body]);
};
const tellAll = (value) => sockets.forEach((socket) => socket.write(frame(value)));

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

function obey(socket, said) {
  const { event = null, error = null } = act(said);
  if (event) tellAll({ type: "batch", events: [event] });
  tellAll(mine());
  const position = event && { epoch: "mock", offset: event.offset };
  socket.write(frame({ type: "result", id: said.id, ok: !error, position, error, durable: state.durable }));
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
  const asked = state.machines.find((m) => m.machine === "d1" && m.pickup_requested_at);
  if (!asked) return;
  socket.write(frame({
    type: "notice", id: createHash("md5").update(String(Date.now())).digest("hex"),
    kind: "pickup_requested", room: ROOM, machine: "d1",
    params: { name: views().find((m) => m.machine === "d1").name }, caused_at: minutes(-2),
    useful_until: minutes(30),
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
  sockets.add(socket);
  socket.on("error", () => undefined);
  socket.on("close", () => sockets.delete(socket));
  socket.on("data", (data) => {
    for (const text of texts(data)) {
      const said = JSON.parse(text);
      if (said.type === "identify") greet(socket);
      if (said.type === "ping") socket.write(frame({ type: "pong" }));
      if (said.type === "command") setTimeout(() => obey(socket, said), 400);
    }
  });
}

function mock(word, value) {
  if (word === "scene") setScene(value);
  else if (word === "silent" || word === "free") {
    tellAll({ type: "batch", events: [happen(word, value)] });
    tellAll(mine());
  } else state[word] = value === "true" || (value !== "false" && value);
  return [200, { [word]: value }];
}

/** What the path answers, `[status, body]`. */
function answer(method, path, body) {
  const [, word, value] = /^\/mock\/(\w+)\/(\w+)$/.exec(path) ?? [];
  if (word) return mock(word, value);
  if (path === "/join" || path === "/devices/link") {
    return [403, { code: "join_code_invalid", status: 403, title: "", detail: "", type: "" }];
  }
  if (!state.joined) return [401, { code: "unauthenticated", status: 401, detail: "" }];
  const edge = { online: state.online, since: minutes(-3) };
  const name = state.lang === "ko" ? "단풍관 지하 세탁실" : "Maple Hall, basement";
  const rooms = [{ room: ROOM, name, local_url: "http://127.0.0.1:8080/" }];
  const notices = state.relay ? answerNotices(method, path, body) : null;
  if (notices) return notices;
  if (path === "/me") {
    if (body.lang) state.lang = body.lang;
    return [200, {
      resident: "r", device: "d", lang: state.lang, rooms, push: false, push_lost_at: null,
      wishes: state.relay ? wishes : null, relay_url: state.relay ? null : "https://laundry.example",
    }];
  }
  if (path === `/rooms/${ROOM}`) {
    const position = { epoch: "mock", offset: state.offset };
    const programmes = PROGRAMMES[state.lang].map(([programme, kind, name, minutes]) => ({
      programme, kind, name, minutes,
    }));
    const { durable } = state;
    return [200, {
      room: ROOM, name, position, at: minutes(0), edge, durable, machines: views(), programmes,
    }];
  }
  if (path === "/devices/link-code") return [200, { code: "K7PM-3XQT", expires_at: minutes(10) }];
  if (path === "/push/key" && state.relay) return [200, { key: "B".repeat(87), fcm: null }];
  return [404, { code: "not_found", status: 404, detail: method }];
}

export function mockServer() {
  return {
    name: "mock-server",
    apply: "serve",
    configureServer(server) {
      server.httpServer?.on("upgrade", upgrade);
      server.middlewares.use("/api/v1", async (request, response) => {
        let said = "";
        for await (const chunk of request) said += chunk;
        const [status, body] = answer(request.method, request.url, JSON.parse(said || "{}"));
        response.writeHead(status, { "Content-Type": "application/json" });
        response.end(body === undefined ? "" : JSON.stringify(body));
      });
    },
  };
}
