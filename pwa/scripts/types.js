// Makes src/wire/types.ts from src/wire/schema.json; with --check only compares, and exits 1.
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const folder = new URL("../src/wire/", import.meta.url);
const schema = JSON.parse(await readFile(new URL("schema.json", folder), "utf8"));
const target = new URL("types.ts", folder);

const text = await compile(schema, "Wire", {
  additionalProperties: false,
  bannerComment: "/* Made by `npm run types` from schema.json. Change laundryd/wire instead. */",
  unreachableDefinitions: true,
  // The limits of lengths are the server's to check: tuples of every length say nothing here.
  ignoreMinAndMaxItems: true,
});
// The schema's root is no message of its own.
const types = text
  .replace(/^ *\/\*\*\n(?: *\*.*\n)*? *\*\/\n/gm, withoutReferences)
  .replace(/\/\*\*\n(?: \*.*\n)*? \*\/\nexport interface Wire \{\s*\}\n/, "");

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

if (process.argv.includes("--check")) {
  if ((await readFile(target, "utf8").catch(() => "")) !== types) {
    console.error("src/wire/types.ts is not what schema.json says: run npm run types");
    process.exit(1);
  }
} else {
  await writeFile(target, types);
}
