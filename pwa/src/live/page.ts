/** What the browser says of this page: looked at, touched, online again. */

export interface PageListener {
  /** The page was shown or hidden. */
  attend(visible: boolean): void;
  touched(): void;
  /** Online again, or back from the browser's cache. */
  woken(): void;
}

export function isVisible(): boolean {
  return document.visibilityState === "visible";
}

export function listenToPage(listener: PageListener): void {
  for (const event of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    window.addEventListener(event, () => listener.touched(), { passive: true });
  }
  document.addEventListener("visibilitychange", () => listener.attend(isVisible()));
  window.addEventListener("online", () => listener.woken());
  window.addEventListener("pageshow", () => listener.woken());
}
