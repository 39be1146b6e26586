/** The room: its machines by kind, what is said about it, and what concerns the resident. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Announced } from "../announced/Announced";
import { BellButton, BellLine } from "../bell/Bell";
import { ProblemSentence } from "../join/JoinScreen";
import { Menu } from "../menu/Menu";
import { NoticeList } from "../notices/NoticeList";
import { cameBack } from "../pages/page";
import {
  atRelay,
  chosenRoom,
  connection,
  lang,
  me,
  room,
  roomProblems,
  t,
} from "../state/signals";
import { errorText } from "../texts/texts";
import { Icon } from "../ui/icons";
import { Banners } from "./Banners";
import { KindGroup, KINDS, Overview } from "./KindGroup";
import type { RoomState } from "../live/rooms";

export function RoomScreen() {
  const menuOpen = useSignal(false);
  const state = room.value;
  const menuButton = useRef<HTMLButtonElement>(null);
  // Where the page that was closed had been opened from.
  useEffect(() => {
    if (cameBack()) menuButton.current?.focus();
  }, []);
  return (
    <>
      <header class="bar">
        <div class="where">
          <RoomName state={state} />
          <Connected />
        </div>
        {state !== null && <Overview state={state} />}
        <BellButton />
        <button
          type="button"
          class="round"
          ref={menuButton}
          data-testid="menu-open"
          aria-label={t("menu.open")}
          aria-haspopup="dialog"
          onClick={() => (menuOpen.value = true)}
        >
          <Icon name="menu" />
        </button>
      </header>
      <main class="room" data-room={state?.room} data-at={atRelay.value ? "relay" : "edge"}>
        <Banners />
        <Announced />
        <ProblemSentence />
        <NoticeList />
        <BellLine />
        {state?.machines.length === 0 && <p class="centre">{t("room.empty")}</p>}
        {state === null && <NotYet />}
        {state !== null && KINDS.map((kind) => <KindGroup key={kind} kind={kind} state={state} />)}
      </main>
      {menuOpen.value && <Menu close={() => (menuOpen.value = false)} />}
    </>
  );
}

/** No room to show: it is on its way, or the server says why not. */
function NotYet() {
  const code = roomProblems.value.values().next().value;
  if (code === undefined) return <p class="centre">{t("app.loading")}</p>;
  return (
    <p class="banner warn" role="status" data-problem={code}>
      {errorText(lang.value, code)}
    </p>
  );
}

/** The room's name; a choice for those who are in several. */
function RoomName({ state }: { state: RoomState | null }) {
  const mine = me.value?.rooms ?? [];
  if (mine.length < 2) return <h1>{state?.name ?? mine[0]?.name ?? "laundryd"}</h1>;
  return (
    <h1>
      <select
        aria-label={t("room.choose")}
        value={state?.room ?? ""}
        onChange={(event) => (chosenRoom.value = event.currentTarget.value)}
      >
        {mine.map(({ room: key, name }) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </h1>
  );
}

function Connected() {
  const state = connection.value;
  return (
    <p class={`connected ${state}`} role="status">
      <span class="dot" aria-hidden="true" />
      {t(state === "live" ? "connection.live" : "connection.connecting")}
    </p>
  );
}
