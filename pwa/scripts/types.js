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
// The schema's root names no message of its own, and where a definition is used is no description.
const types = text
  .replace(/\/\*\*(?:(?!\*\/)[^])*\*\/\s*export interface Wire \{\s*\}\n/, "")
  .replace(/ \* This interface was referenced by [^]*?via the `definition` ".*?"\.\n/g, "")
  .replace(/ \*\n \*\//g, " */")
  .replace(/\/\*\*\n \*\/\n/g, "");

if (process.argv.includes("--check")) {
  if ((await readFile(target, "utf8").catch(() => "")) !== types) {
    console.error("src/wire/types.ts is not what schema.json says: run npm run types");
    process.exit(1);
  }
} else {
  await writeFile(target, types);
}
