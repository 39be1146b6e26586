// Draws public/icons/*.png, the same picture as icon.svg, with nothing but Node's own zlib.
import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

const BLUE = [0x1f, 0x5f, 0xd0];
const WHITE = [0xff, 0xff, 0xff];
const SAMPLES = 4;

const inCircle = (x, y, cx, cy, r) => (x - cx) ** 2 + (y - cy) ** 2 <= r * r;

function inRounded(x, y, left, top, width, height, r) {
  const dx = Math.max(left + r - x, 0, x - (left + width - r));
  const dy = Math.max(top + r - y, 0, y - (top + height - r));
  return dx * dx + dy * dy <= r * r;
}

/** Whether the machine's drawing covers the point, in icon.svg's 512 units. */
function drawn(x, y) {
  const ring = inCircle(x, y, 256, 276, 148) && !inCircle(x, y, 256, 276, 112);
  const water = y >= 276 && inCircle(x, y, 256, 276, 88);
  const knob = inCircle(x, y, 136, 104, 22);
  return ring || water || knob || inRounded(x, y, 236, 86, 150, 36, 18);
}

/** The colour and opacity at a point: `scale` shrinks the drawing around the middle. */
function pixel(x, y, { scale, corner, background }) {
  const inside = drawn((x - 256) / scale + 256, (y - 256) / scale + 256);
  if (inside) return [...WHITE, 255];
  const covered = background && inRounded(x, y, 0, 0, 512, 512, corner);
  return covered ? [...BLUE, 255] : [0, 0, 0, 0];
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

function png(size, options) {
  const rows = Buffer.alloc(size * (size * 4 + 1));
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const sum = [0, 0, 0, 0];
      for (let sample = 0; sample < SAMPLES * SAMPLES; sample += 1) {
        const x = ((column + ((sample % SAMPLES) + 0.5) / SAMPLES) / size) * 512;
        const y = ((row + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES) / size) * 512;
        const [r, g, b, a] = pixel(x, y, options);
        sum[0] += r * a;
        sum[1] += g * a;
        sum[2] += b * a;
        sum[3] += a;
      }
      const at = row * (size * 4 + 1) + 1 + column * 4;
      for (let i = 0; i < 3; i += 1) rows[at + i] = sum[3] ? Math.round(sum[i] / sum[3]) : 0;
      rows[at + 3] = Math.round(sum[3] / (SAMPLES * SAMPLES));
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(rows, { level: 9 });
  return Buffer.concat([
    signature,
    chunk("IHDR", head),
    chunk("IDAT", data),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const folder = new URL("../public/icons/", import.meta.url);
const whole = { scale: 1, corner: 112, background: true };
// Maskable: the drawing in the middle 80 %, the colour to the edge. Badge: the shape alone.
const files = {
  "icon-192.png": png(192, whole),
  "icon-512.png": png(512, whole),
  "maskable-512.png": png(512, { scale: 0.75, corner: 0, background: true }),
  "badge-96.png": png(96, { scale: 1.2, corner: 0, background: false }),
};
for (const [name, content] of Object.entries(files)) writeFileSync(new URL(name, folder), content);
