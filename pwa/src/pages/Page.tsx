/** The page that is open over the room. */

import { BellPage } from "../bell/BellPage";
import { HistoryPage } from "../notices/HistoryPage";
import { WishesPage } from "../wishes/WishesPage";
import type { PageName } from "./route";

const PAGES = { notices: HistoryPage, wishes: WishesPage, bell: BellPage } satisfies Record<
  PageName,
  unknown
>;

export function Page({ name }: { name: PageName }) {
  const Shown = PAGES[name];
  return <Shown />;
}
