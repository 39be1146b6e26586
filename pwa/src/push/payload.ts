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
  /** Buttons, the most probably meant first. */
  actions: readonly ShownAction[];
  /** What the buttons are about; null where they are about nothing, and then there are none. */
  about: About | null;
}

export interface ShownAction {
  action: string;
  title: string;
}

/** One machine's notice. */
export interface About {
  notice_id: string;
  room: string;
  machine: string;
}

/** `Notification.maxActions` of Chrome and Firefox. */
const ACTIONS_MAX = 2;

/** When nothing can be read: iOS takes the subscription from an app that shows nothing. */
const UNREADABLE: Shown = {
  title: "laundryd",
  body: "세탁실 소식이 있어요. / News from the laundry room.",
  lang: "ko",
  tag: "laundryd",
  navigate: "/",
  silent: false,
  actions: [],
  about: null,
};

/**
 * Read a declarative payload, `{"web_push": 8030, "notification": {...}}`, or what FCM makes of it:
 * `{"notification": {...}, "fcmOptions": {"link"}, ...}`. `origin` is ours.
 */
export function readPayload(text: string | null, origin: string): Shown {
  const { notification: said, link } = parse(text);
  const title = string(said["title"]);
  if (title === null) return UNREADABLE;
  const about = readAbout(said["data"]);
  return {
    title,
    body: string(said["body"]) ?? "",
    lang: string(said["lang"]) ?? "",
    tag: string(said["tag"]) ?? UNREADABLE.tag,
    navigate: ownPath(string(said["navigate"]) ?? link, origin),
    silent: said["silent"] === true,
    actions: about === null ? [] : readActions(said["actions"]),
    about,
  };
}

/** Read what a notice is about, by the contract's own patterns; null: nothing that a button can change. */
export function readAbout(data: unknown): About | null {
  if (!isObject(data)) return null;
  const { notice_id, room, machine } = data;
  const fits = (value: unknown, pattern: RegExp) => typeof value === "string" && pattern.test(value);
  if (!fits(notice_id, /^[0-9a-f]{32}$/)) return null;
  if (!fits(room, /^[a-z0-9-]{1,32}\.[a-z0-9-]{1,32}$/)) return null;
  if (!fits(machine, /^[a-z0-9-]{1,32}$/)) return null;
  return { notice_id, room, machine } as About;
}

function readActions(said: unknown): ShownAction[] {
  if (!Array.isArray(said)) return [];
  const found = said.filter(isObject).map(({ action, title }) => ({
    action: string(action) ?? "",
    title: string(title) ?? "",
  }));
  return found.filter(({ action, title }) => action !== "" && title !== "").slice(0, ACTIONS_MAX);
}

/** The path of `address` if it lies at our own origin, else the start page. */
export function ownPath(address: string | null, origin: string): string {
  if (address === null || !URL.canParse(address, origin)) return "/";
  const url = new URL(address, origin);
  return url.origin === origin ? url.pathname + url.search + url.hash : "/";
}

interface Parsed {
  notification: Record<string, unknown>;
  link: string | null;
}

function parse(text: string | null): Parsed {
  try {
    const whole: unknown = JSON.parse(text ?? "");
    const { notification, fcmOptions } = isObject(whole) ? whole : {};
    return {
      notification: isObject(notification) ? notification : {},
      link: isObject(fcmOptions) ? string(fcmOptions["link"]) : null,
    };
  } catch {
    return { notification: {}, link: null };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function string(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
