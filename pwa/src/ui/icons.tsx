/** Icons, each of its own shape: colour alone tells nobody anything. 24 x 24, the text's colour. */

import type { Phase } from "../wire/types";

const SHAPES = {
  free: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm-4 9.2 2.8 2.8L16 9.4",
  claimed: "M4 12h14M12.5 6l6 6-6 6",
  arrived: "M12 21s7-6.2 7-11.5a7 7 0 0 0-14 0C5 14.8 12 21 12 21Zm0-9.2a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6Z",
  in_use: "M4.5 12a7.5 7.5 0 0 1 13-5.1L20 9.5M20 4.5v5h-5M19.5 12a7.5 7.5 0 0 1-13 5.1L4 14.5M4 19.5v-5h5",
  finished: "M4.5 9.5 6 20h12l1.5-10.5M3 9.5h18M8.5 9.5 12 4l3.5 5.5M9.5 14.5l2 2 3.5-3.5",
  out_of_order: "M12 3.5 22 20.5H2L12 3.5Zm0 6v5m0 2.8v.2",
  bell_on: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15L6 16.5ZM10 20.5h4",
  bell_off: "M6 16.5V11a6 6 0 0 1 9.5-4.9M18 10.5v6l1.5 1.5h-11M10 20.5h4M4 4l16 17",
  plug_silent: "M8 3v4m8-4v4M6 7h12v4a6 6 0 0 1-9 5.2M12 17v4M4 4l16 17",
  wrench: "M14.5 6.5a4.5 4.5 0 0 1 5.6-1l-3 3 .4 2 2 .4 3-3a4.5 4.5 0 0 1-6.1 5.4L9.5 20.2a2 2 0 0 1-2.8-2.8l6.9-6.9a4.5 4.5 0 0 1 .9-4Z",
  hand: "M12 3v9M8.5 5v7.5M15.5 5v7.5M5.5 13.5 8.5 12.5 12 12h7v2.5c0 3.6-2.6 6.5-6 6.5-2.6 0-4.2-1-5.4-3Z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  menu: "M4 7h16M4 12h16M4 17h16",
  back: "M15 5l-7 7 7 7",
  waiting: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 8v4.5l3 2",
  unneeded: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM8 12h8",
  moon: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5Z",
  close: "M6 6l12 12M18 6 6 18",
  star: "M12 4l2.4 5.1 5.6.7-4.1 3.9 1.1 5.5L12 16.5l-5 2.7 1.1-5.5L4 9.8l5.6-.7L12 4Z",
} satisfies Record<Phase, string> & Record<string, string>;

export type IconName = keyof typeof SHAPES;

/** A picture beside words that say the same; readers of the screen skip it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <path d={SHAPES[name]} />
    </svg>
  );
}
