// Makes the types in src/wire from src/wire/schema.json; with --check only compares, and exits 1.
//
// names.ts holds what is one word of several, frames.ts what goes over the socket, bodies.ts the rest;
// types.ts is all of them.
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const folder = new URL("../src/wire/", import.meta.url);
const schema = JSON.parse(await readFile(new URL("schema.json", folder), "utf8"));
const BANNER = "/* Made by `npm run types` from schema.json. Change laundryd/wire instead. */\n\n";

const text = await compile(schema, "Wire", {
  additionalProperties: false,
  bannerComment: "",
  unreachableDefinitions: true,
  // The limits of lengths are the server's to check: tuples of every length say nothing here.
  ignoreMinAndMaxItems: true,
});
const types = text.replace(/^ *\/\*\*\n(?: *\*.*\n)*? *\*\/\n/gm, withoutReferences);

/**
 * A comment without the lines that say where a definition is used, or how long a list may be; on one
 * line where it fits. Empty: no comment at all.
 */
function withoutReferences(comment) {
  const lines = comment.split("\n").filter((line) => line !== "");
  const kept = lines
    .slice(1, -1)
    .filter((line) => !/This interface was referenced by|via the `definition`|`patternProperty`/.test(line))
    .filter((line) => !/^ *\* @(min|max)Items \d+$/.test(line));
  while (/^ *\*$/.test(kept.at(-1) ?? "")) kept.pop();
  if (kept.length === 0) return "";
  if (kept.length === 1) return kept[0].replace(/^( *) \* (.*)$/, "$1/** $2 */\n");
  return [lines[0], ...kept, lines.at(-1), ""].join("\n");
}

/** By name: each definition with its comment. */
const blocks = new Map(
  [...types.matchAll(/^(?:\/\*\*(?:(?!\*\/)[^])*\*\/\n)?export (?:type|interface) (\w+)[^]*?(?=^\/\*\*|^export |$(?![^]))/gm)]
    .map(([block, name]) => [name, `${block.trimEnd()}\n`]),
);

// The schema's root is no message of its own.
blocks.delete("Wire");

/** The names that a definition uses; comments use none. */
function used(name) {
  const words = blocks.get(name).replace(/\/\*\*[^]*?\*\//g, "").match(/\b[A-Z]\w+/g) ?? [];
  return words.filter((word) => word !== name && blocks.has(word));
}

/** A name with everything that it is made of. */
function whole(name, seen = new Set()) {
  if (!seen.has(name)) {
    seen.add(name);
    for (const other of used(name)) whole(other, seen);
  }
  return seen;
}

const isName = (name) => /export type \w+ =[\s|]*"/.test(blocks.get(name));
const framed = new Set([...whole("ClientFrame"), ...whole("ServerFrame")]);
const place = (name) => (isName(name) ? "names" : framed.has(name) ? "frames" : "bodies");
const places = ["names", "frames", "bodies"];

/** The text of one file: its definitions, and what they need of the others. */
function fileOf(at) {
  const own = [...blocks.keys()].filter((name) => place(name) === at);
  const imports = places.flatMap((from) => {
    const needed = [...new Set(own.flatMap(used))].filter((name) => place(name) === from).sort();
    if (from === at || needed.length === 0) return [];
    return `import type {\n${needed.map((name) => `  ${name},\n`).join("")}} from "./${from}";\n`;
  });
  const before = imports.length === 0 ? "" : `${imports.join("")}\n`;
  return BANNER + before + own.map((name) => blocks.get(name)).join("");
}

const files = {
  ...Object.fromEntries(places.map((at) => [`${at}.ts`, fileOf(at)])),
  "types.ts": BANNER + places.map((at) => `export type * from "./${at}";\n`).join(""),
};
for (const [name, text] of Object.entries(files)) {
  const target = new URL(name, folder);
  if (!process.argv.includes("--check")) await writeFile(target, text);
  else if ((await readFile(target, "utf8").catch(() => "")) !== text) {
    console.error(`src/wire/${name} is not what schema.json says: run npm run types`);
    process.exitCode = 1;
  }
}
