/** What a push says, read with suspicion: whatever comes, something is shown. Pure. */

export interface Shown {
  title: string;
  body: string;
  lang: string;
  /** One notice, one tag: the same notice replaces itself. */
  tag: string;
  /** Where a click leads, a path of our own origin. */
  navigate: string;
  /** Without sound or vibration, as its writer said. */
  silent: boolean;
}

/** When nothing can be read: iOS takes the subscription from an app that shows nothing. */
const UNREADABLE: Shown = {
  title: "laundryd",
  body: "세탁실 소식이 있어요. / News from the laundry room.",
  lang: "ko",
  tag: "laundryd",
  navigate: "/",
  silent: false,
};

/** Read a declarative payload, `{"web_push": 8030, "notification": {...}}`. `origin` is ours. */
export function readPayload(text: string | null, origin: string): Shown {
  const said = parse(text);
  const title = string(said["title"]);
  if (title === null) return UNREADABLE;
  return {
    title,
    body: string(said["body"]) ?? "",
    lang: string(said["lang"]) ?? "",
    tag: string(said["tag"]) ?? UNREADABLE.tag,
    navigate: ownPath(string(said["navigate"]), origin),
    silent: said["silent"] === true,
  };
}

/** The path of `address` if it lies at our own origin, else the start page. */
export function ownPath(address: string | null, origin: string): string {
  if (address === null || !URL.canParse(address, origin)) return "/";
  const url = new URL(address, origin);
  return url.origin === origin ? url.pathname + url.search + url.hash : "/";
}

function parse(text: string | null): Record<string, unknown> {
  try {
    const whole: unknown = JSON.parse(text ?? "");
    const notification = isObject(whole) ? whole["notification"] : null;
    return isObject(notification) ? notification : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function string(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
