/* Made by `npm run types` from schema.json. Change laundryd/wire instead. */

export type * from "./names";
export type * from "./frames";
export type * from "./bodies";
