/* Made by `npm run types` from schema.json. Change laundryd/wire instead. */

import type {
  ActionId,
  AnnouncementKind,
  Cause,
  CommandName,
  ErrorCode,
  Lang,
  MachineKind,
  NoticeKind,
  Phase,
  Sensor,
} from "./names";

export type ClientFrame = Identify | Ack | Read | Attention | Command | Ping | Pong;
export type ServerFrame =
  Welcome | Batch | Mine | NoticeFrame | NoticeGone | RoomStatus | ShownInRoom | Result | Ping | Pong;
/** The app rendered these notices on a visible page. */
export interface Ack {
  type: "ack";
  notice_ids: string[];
}
/** A title and a body, as long as a phone shows of a notification. */
export interface AnnouncementText {
  title: string;
  body: string;
}
/** Whether the page is visible, and how many seconds ago it was last touched: on a wall, months. */
export interface Attention {
  type: "attention";
  visible: boolean;
  touched_s_ago: number;
}
/** How to come back: the n-th try after ``uniform(0, min(cap_s, first_s * factor**n))`` seconds. */
export interface Backoff {
  first_s: number;
  factor: number;
  cap_s: number;
  jitter: "full";
}
/** Public events in the order of each room's journal. */
export interface Batch {
  type: "batch";
  events: PublicEvent[];
}
/**
 * One accepted change of a room, as every resident of it may see it.
 *
 * ``follows`` is the offset of the public event before this one in the same epoch, 0 if there is none.
 * A client that stands at ``pos`` applies the event when ``follows <= pos.offset < offset`` in the same
 * epoch and ignores it when ``offset <= pos.offset``. Otherwise something is missing: it resumes from
 * ``pos`` over a new connection, and fetches a snapshot when that does not help or the epoch is another.
 * The event carries the whole machine: applying it is replacing the machine.
 */
export interface PublicEvent {
  room: string;
  epoch: string;
  offset: number;
  follows: number;
  at: string;
  cause: Cause;
  machine: MachineView;
}
/**
 * One machine as anybody in the room may see it.
 *
 * ``since`` is when the phase began; ``silent_since`` when its plug was believed last, None while it
 * is. ``held_until`` is set while ``claimed`` or ``arrived``. ``started_at`` is set from the start until
 * the laundry is out. ``ends_at`` is the expected end while ``in_use``; None means nobody knows.
 * ``ended_at`` is the true end while ``finished``, which may lie before the moment it was noticed.
 * ``has_owner`` is false for a machine that runs or is finished and
 * that a resident may adopt.
 *
 * ``ends_confidence``, 0 to 1, says how sure a plug's past cycles are of ``ends_at``; None: a resident
 * or a programme said so, or the plug fell silent since. An end that passes while the plug sees the
 * machine run on is taken back: ``ends_at`` is None then. ``programme`` is what its owner started, None
 * when not told. ``pickup_requested_at`` and ``owner_coming_at`` are set while ``finished``, when that
 * was last said.
 * ``fault_reported_at``: a resident reported a fault that staff has not cleared.
 */
export interface MachineView {
  machine: string;
  kind: MachineKind;
  name: string;
  phase: Phase;
  since: string;
  sensor: Sensor;
  silent_since: string | null;
  has_owner: boolean;
  held_until: string | null;
  started_at: string | null;
  ends_at: string | null;
  ends_confidence: number | null;
  ended_at: string | null;
  programme: string | null;
  pickup_requested_at: string | null;
  owner_coming_at: string | null;
  fault_reported_at: string | null;
}
/** A wish. ``id`` is made by the client; the same id gets the same answer. */
export interface Command {
  type: "command";
  id: string;
  room: string;
  machine: string;
  name: CommandName;
  params?: CommandParams;
}
/**
 * Parameters of a command; None where it has none.
 *
 * ``minutes`` goes with ``start`` (the programme's length; None if unknown) and ``extend`` (minutes
 * more). ``programme`` goes with ``start``, in place of ``minutes``: one that the room lists.
 * ``text`` goes with ``report_fault``: for the staff's eyes alone.
 */
export interface CommandParams {
  minutes?: number | null;
  programme?: string | null;
  text?: string | null;
}
/** A place in a room's journal: everything up to and including ``offset`` of ``epoch``. */
export interface Position {
  epoch: string;
  offset: number;
}
/**
 * Why a command was refused: a stable code and a sentence that says what to do.
 *
 * ``retry_after_s`` goes with ``rate_limited``: room seconds until it may be said again.
 */
export interface CommandError {
  code: ErrorCode;
  message: string;
  retry_after_s: number | null;
}
/** Whether the relay hears the room's edge. ``since`` is when that began (room time). */
export interface EdgeStatus {
  online: boolean;
  since: string;
}
/**
 * First frame of a client. ``rooms``: where it stands in each room, None for a room never seen.
 *
 * A position names the run that ``welcome`` or the room itself named when it was taken: numbers that a
 * store restored from a backup gives out again are told from the first ones by it.
 */
export interface Identify {
  type: "identify";
  session_id?: string | null;
  rooms: {
    [k: string]: PagePosition | null;
  };
  visible: boolean;
  lang: Lang;
}
/**
 * Where a page stands, in the words of the server that it follows.
 *
 * ``run`` names the opening of that server's store in which the position was taken; only the same
 * server can tell what it means. None: the server named none, and then the numbers alone count.
 */
export interface PagePosition {
  epoch: string;
  offset: number;
  run?: string | null;
}
/**
 * Everything that is this resident's, whole; sent after ``welcome`` and at each change.
 *
 * ``pickup_muted``: the rooms in which they take no requests to collect.
 */
export interface Mine {
  type: "mine";
  machines: MyMachine[];
  claims: MyClaim[];
  watches: MyWatch[];
  pickup_muted: string[];
}
/** A machine that is this resident's: running, or finished with their laundry inside. */
export interface MyMachine {
  room: string;
  machine: string;
}
/** A machine held for this resident. */
export interface MyClaim {
  room: string;
  machine: string;
  held_until: string;
}
/**
 * A kind of machine that this resident waits for.
 *
 * ``told_until``: they were told that one is free, and until then nobody else is; None: not told yet.
 */
export interface MyWatch {
  room: string;
  kind: MachineKind;
  told_until: string | null;
}
/** Something this resident should be told; ``told``: a push did, so the page lists it in silence. */
export interface NoticeFrame {
  id: string;
  kind: NoticeKind;
  room: string;
  machine: string | null;
  params: {
    [k: string]: string | number;
  };
  caused_at: string;
  useful_until: string;
  actions: ActionId[] | null;
  urgent: boolean;
  silent: boolean;
  type: "notice";
  told: boolean;
}
/** These notices were told or read elsewhere, or are not useful any more: take them off the page. */
export interface NoticeGone {
  type: "notice_gone";
  ids: string[];
}
/** Either side asks whether the other lives; a page cannot see the protocol's own pings. */
export interface Ping {
  type: "ping";
}
/** The answer to ``ping``. */
export interface Pong {
  type: "pong";
}
/** The resident opened or dismissed these notices. */
export interface Read {
  type: "read";
  notice_ids: string[];
}
/** What came of a ``command``: ``position`` when ok, ``error`` when not. */
export interface Result {
  type: "result";
  id: string;
  ok: boolean;
  position: Position | null;
  error: CommandError | null;
  durable: boolean;
}
/** Room time now, and how many room seconds pass in a real second (1 outside demo and tests). */
export interface RoomClock {
  at: string;
  speed: number;
}
/**
 * What became of a client's position in one room.
 *
 * ``was_recovering``: the client named a position. ``recovered``: everything after it follows in the
 * next frames. Otherwise the client GETs the room. ``epoch`` and ``offset``: the head at this moment.
 * ``run``: the run of this server's store, which the client keeps with its position from now on; None:
 * it names none.
 */
export interface RoomResume {
  epoch: string;
  offset: number;
  was_recovering: boolean;
  recovered: boolean;
  run: string | null;
}
/** The room's edge came or went. */
export interface RoomStatus {
  type: "room_status";
  room: string;
  edge: EdgeStatus;
}
/**
 * An announcement that is shown in a room from ``since`` until ``until`` (room time).
 *
 * ``texts`` are in every language, the missing one filled with the other. ``machine`` None: the room.
 */
export interface ShownAnnouncement {
  id: string;
  kind: AnnouncementKind;
  machine: string | null;
  texts: {
    [k: string]: AnnouncementText;
  };
  urgent: boolean;
  since: string;
  until: string;
}
/**
 * What staff announces in a room now, whole; sent after ``welcome``, if there is any, and at each change.
 *
 * A ``welcome`` ends what was shown before it. Each ends by itself, at its ``until``.
 */
export interface ShownInRoom {
  type: "announcements";
  room: string;
  shown: ShownAnnouncement[];
}
/** Answer to ``identify``. */
export interface Welcome {
  type: "welcome";
  session_id: string;
  heartbeat_s: number;
  batch_ms: number;
  backoff: Backoff;
  clock: RoomClock;
  rooms: {
    [k: string]: RoomResume;
  };
}
