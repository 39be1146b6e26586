/** Which browser this is, as far as the bell must know: what it can, and where it keeps its settings. Pure. */

export type Browser =
  | "chrome"
  | "chrome_android"
  | "edge"
  | "firefox"
  | "firefox_android"
  | "safari"
  | "samsung"
  | "other";

export interface Device {
  browser: Browser;
  /** iPhone or iPad: whatever its browser is called, it is Safari's. */
  apple_mobile: boolean;
  android: boolean;
  /** The version of iOS or iPadOS; null elsewhere, or where it is not said. */
  ios: { major: number; minor: number } | null;
  /** A page inside another app (KakaoTalk, NAVER, Instagram), which has no notifications. */
  in_app: boolean;
}

const IN_APP =
  /KAKAOTALK|NAVER\(inapp|Line\/|FBAN|FBAV|Instagram|DaumApps|everytimeApp|; wv\)|Telegram|WeChat|MicroMessenger/i;

/** Read a user agent; `touchPoints`: of the screen. An iPad says that it is a Mac, which has none. */
export function deviceOf(userAgent: string, touchPoints: number): Device {
  const ipad = /iPad/.test(userAgent) || (/Macintosh/.test(userAgent) && touchPoints > 1);
  const apple_mobile = ipad || /iPhone|iPod/.test(userAgent);
  return {
    browser: browserOf(userAgent),
    apple_mobile,
    android: /Android/.test(userAgent),
    ios: apple_mobile ? iosOf(userAgent) : null,
    in_app: IN_APP.test(userAgent),
  };
}

function browserOf(userAgent: string): Browser {
  const android = /Android/.test(userAgent);
  if (/SamsungBrowser/.test(userAgent)) return "samsung";
  if (/Edg(A|iOS)?\//.test(userAgent)) return "edge";
  if (/Firefox|FxiOS/.test(userAgent)) return android ? "firefox_android" : "firefox";
  if (/Chrome|Chromium|CriOS/.test(userAgent)) return android ? "chrome_android" : "chrome";
  if (/Safari/.test(userAgent)) return "safari";
  return "other";
}

/** "OS 16_4 like Mac OS X" of an iPhone; "Version/16.4" of an iPad that says it is a Mac. */
function iosOf(userAgent: string): { major: number; minor: number } | null {
  const said = /OS (\d+)_(\d+)/.exec(userAgent.replace(/Mac OS X \d+[_.\d]*/, "")) ??
    /Version\/(\d+)\.(\d+)/.exec(userAgent);
  return said === null ? null : { major: Number(said[1]), minor: Number(said[2]) };
}
