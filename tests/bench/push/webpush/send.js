// web-push as its documentation uses it: sendNotification for each subscription, AT_ONCE at a time, with
// Node's own agent, which keeps connections open. Prints what it cost as JSON.
"use strict";
const fs = require("node:fs");
const webpush = require("web-push");

const [file, payload, warm, atOnce] = process.argv.slice(2);
const subscriptions = JSON.parse(fs.readFileSync(file, "utf8"));
const TICK_MS = 5;

const keys = webpush.generateVAPIDKeys();
webpush.setVapidDetails("mailto:staff@example.org", keys.publicKey, keys.privateKey);

async function sendAll(count) {
  let next = 0;
  async function sendSome() {
    while (next < count) {
      const number = next++;
      const topic = number.toString(16).padStart(32, "0");
      await webpush.sendNotification(subscriptions[number], payload, { TTL: 43200, urgency: "high", topic });
    }
  }
  await Promise.all(Array.from({ length: Number(atOnce) }, sendSome));
}

async function main() {
  await sendAll(Number(warm));
  const late = [];
  let due = performance.now() + TICK_MS;
  const ticking = setInterval(() => {
    late.push(Math.max(0, performance.now() - due));
    due = performance.now() + TICK_MS;
  }, TICK_MS);
  const cpu = process.cpuUsage();
  const began = performance.now();
  await sendAll(subscriptions.length);
  const used = process.cpuUsage(cpu);
  const wall_s = (performance.now() - began) / 1000;
  clearInterval(ticking);
  late.sort((a, b) => a - b);
  console.log(
    JSON.stringify({
      pushes: subscriptions.length,
      cpu_s: (used.user + used.system) / 1e6,
      wall_s,
      stall_p99_ms: late[Math.floor(late.length * 0.99)],
      stall_max_ms: late[late.length - 1],
    }),
  );
  process.exit(0);
}

main();
