/** Which of a room's announcements stand as banners now. Pure. */

import type { NoticeFrame, ShownAnnouncement } from "../wire/types";

/**
 * What is shown at `now_ms`, without what stands on the page as a notice already: once that is
 * dismissed, the banner stays until the announcement ends.
 */
export function bannersNow(
  shown: readonly ShownAnnouncement[],
  notices: readonly NoticeFrame[],
  now_ms: number,
): ShownAnnouncement[] {
  return shown.filter(
    (one) =>
      Date.parse(one.until) > now_ms && !notices.some((notice) => isOf(notice, one)),
  );
}

/** A notice says the same as an announcement: same words, same end. */
function isOf(notice: NoticeFrame, one: ShownAnnouncement): boolean {
  return (
    notice.kind === "announcement" &&
    notice.useful_until === one.until &&
    notice.params["title_ko"] === one.texts["ko"]?.title &&
    notice.params["body_ko"] === one.texts["ko"]?.body
  );
}
