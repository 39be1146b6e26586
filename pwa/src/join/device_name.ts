/** A name for this device that its owner recognises in a list. Pure. */

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
  [/SamsungBrowser/, "Samsung Internet"],
  [/Chrome|CriOS/, "Chrome"],
  [/Safari/, "Safari"],
];

export function deviceName(userAgent: string): string {
  const first = (rows: readonly [RegExp, string][]) =>
    rows.find(([pattern]) => pattern.test(userAgent))?.[1];
  const parts = [first(SYSTEMS), first(BROWSERS)].filter((part) => part !== undefined);
  return parts.join(", ") || "Browser";
}
