/** Tells the server whether somebody looks at this page. */

/** How often a touch is told: often enough for "touched within 2 min", seldom enough for a phone. */
const TOUCH_EVERY_MS = 30_000;

export interface Attention {
  /** Seconds since the page was last touched. */
  touched_s_ago(): number;
}

/** Watch the page; `tell` is called when its visibility changes, and at touches, seldom. */
export function watchAttention(tell: (visible: boolean, touched_s_ago: number) => void): Attention {
  // Opening the page was a touch.
  let touched_ms = performance.now();
  let told_ms = performance.now();
  const touched_s_ago = () => Math.max(0, (performance.now() - touched_ms) / 1_000);
  const say = () => {
    told_ms = performance.now();
    tell(document.visibilityState === "visible", touched_s_ago());
  };
  const touched = () => {
    touched_ms = performance.now();
    if (touched_ms - told_ms >= TOUCH_EVERY_MS) say();
  };
  for (const event of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    window.addEventListener(event, touched, { passive: true });
  }
  document.addEventListener("visibilitychange", () => {
    // Whoever brings the page to the front has it in hand.
    if (document.visibilityState === "visible") touched_ms = performance.now();
    say();
  });
  return { touched_s_ago };
}
