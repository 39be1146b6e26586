/** A name for this device that its owner recognises in a list: "Chrome on Android". Pure. */

const SYSTEMS: readonly [pattern: RegExp, name: string][] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Macintosh/, "Mac"],
  [/Linux|X11/, "Linux"],
];
const BROWSERS: readonly [pattern: RegExp, name: string][] = [
  [/Firefox|FxiOS/, "Firefox"],
  [/Edg/, "Edge"],
  [/Whale/, "Whale"],
  [/SamsungBrowser/, "Samsung Internet"],
  [/Chrome|CriOS/, "Chrome"],
  [/Safari/, "Safari"],
];

/** `touchPoints`: of the screen; an iPad says that it is a Mac, which has none. */
export function deviceName(userAgent: string, touchPoints = 0): string {
  const first = (rows: readonly [RegExp, string][]) =>
    rows.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = first(SYSTEMS);
  const named = system === "Mac" && touchPoints > 1 ? "iPad" : system;
  const parts = [first(BROWSERS), named].filter((part) => part !== undefined);
  return parts.join(" on ") || "Browser";
}
