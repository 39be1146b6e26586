/* Made by `npm run types` from schema.json. Change laundryd/wire instead. */

/** A button of a notice; the name is stable, and what a push's ``action`` says. */
export type ActionId = "coming" | "collect" | "adopt" | "extend" | "claim" | "arrive" | "start";
/** Why a machine changed; also the kind of the public event that says so. */
export type Cause =
  | "claimed"
  | "arrived"
  | "started"
  | "adopted"
  | "released"
  | "hold_ending"
  | "hold_ended"
  | "cycle_started"
  | "not_started"
  | "ending_soon"
  | "finished"
  | "resumed"
  | "end_expected"
  | "extended"
  | "reminded"
  | "pickup_requested"
  | "owner_coming"
  | "fault_reported"
  | "fault_cleared"
  | "collected"
  | "out_of_order"
  | "repaired"
  | "sensor_changed";
/** What a machine does; claims are limited to one a kind and resident. */
export type MachineKind = "washer" | "dryer" | "washer_dryer";
/** What a machine is to the residents. */
export type Phase = "free" | "claimed" | "arrived" | "in_use" | "finished" | "out_of_order";
/** What the edge hears of the machine's plug; beside the phase, never a phase. */
export type Sensor = "none" | "ok" | "silent";
/** How one kind of notice is told. */
export type Choice = "app_and_push" | "app_only" | "nothing";
/** A resident's words. */
export type CommandName =
  | "claim"
  | "arrive"
  | "start"
  | "adopt"
  | "release"
  | "collect"
  | "extend"
  | "request_pickup"
  | "coming"
  | "mute_pickup"
  | "unmute_pickup"
  | "watch"
  | "unwatch"
  | "report_fault";
/** Every way in which a request can be refused. */
export type ErrorCode =
  | "unauthenticated"
  | "foreign_origin"
  | "foreign_host"
  | "foreign_room"
  | "not_json"
  | "invalid_body"
  | "too_large"
  | "not_found"
  | "method_not_allowed"
  | "rate_limited"
  | "join_code_invalid"
  | "join_code_spent"
  | "join_at_relay"
  | "link_code_invalid"
  | "voucher_invalid"
  | "unknown_room"
  | "unknown_machine"
  | "unknown_command"
  | "illegal_move"
  | "not_yours"
  | "already_holding"
  | "unknown_programme"
  | "pickup_muted"
  | "nobody_asked"
  | "free_now"
  | "edge_offline"
  | "edge_timeout"
  | "expired"
  | "endpoint_refused"
  | "busy"
  | "internal";
/** Languages that the texts exist in. */
export type Lang = "ko" | "en";
/** What is told; one row of ``NOTICES`` each. */
export type NoticeKind =
  | "started"
  | "ending_soon"
  | "done"
  | "resumed"
  | "reminder"
  | "collected_for_you"
  | "not_started"
  | "edge_gone"
  | "hold_ending"
  | "hold_ended"
  | "started_by_other"
  | "machine_free"
  | "pickup_requested"
  | "owner_coming"
  | "out_of_order"
  | "repaired"
  | "announcement";
export type ClientFrame = Identify | Ack | Read | Attention | Command | Ping | Pong;
export type ServerFrame = Welcome | Batch | Mine | NoticeFrame | NoticeGone | RoomStatus | Result | Ping | Pong;

/** Every frame and body between the app and both programs. */
export interface Wire {}
/** The app rendered these notices on a visible page. */
export interface Ack {
  type: "ack";
  notice_ids: string[];
}
/** Whether the page is visible, and how many seconds ago it was last touched. */
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
/**
 * What came of a command: exactly one of ``position`` (accepted) and ``error`` (nothing changed).
 *
 * ``durable`` is false when the edge runs from memory and may forget the change at a power cut.
 */
export interface CommandAnswer {
  id: string;
  ok: boolean;
  position: Position | null;
  error: CommandError | null;
  durable: boolean;
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
/** ``POST /rooms/{room}/machines/{machine}/{command}``. */
export interface CommandBody {
  id: string;
  minutes?: number | null;
  programme?: string | null;
  text?: string | null;
}
/** Whether the relay hears the room's edge. ``since`` is when that began (room time). */
export interface EdgeStatus {
  online: boolean;
  since: string;
}
/** First frame of a client. ``rooms``: where it stands in each room, None for a room never seen. */
export interface Identify {
  type: "identify";
  session_id?: string | null;
  rooms: {
    [k: string]: Position | null;
  };
  visible: boolean;
  lang: Lang;
}
/** ``POST /join``: exactly one of ``code`` (relay, or a room without one) and ``voucher`` (edge). */
export interface JoinBody {
  code?: string | null;
  voucher?: string | null;
  device_name?: string;
  lang?: Lang;
}
/**
 * Answer of ``join`` and ``link``; the token itself goes into an HttpOnly cookie.
 *
 * ``token`` is given too only to a client that asked with ``Accept: application/json; token=1``:
 * programs without a cookie jar.
 */
export interface Joined {
  resident: string;
  device: string;
  rooms: string[];
  token: string | null;
}
/** ``POST /devices/link``: the one-time code shown on a device that is already joined. */
export interface LinkBody {
  code: string;
  device_name?: string;
  lang?: Lang;
}
/** Answer of ``POST /devices/link-code``: the code, and until when it may be used once (real time). */
export interface LinkCode {
  code: string;
  expires_at: string;
}
/**
 * Answer of ``GET /me``: the resident behind the token. ``push``: a subscription is held here.
 *
 * ``wishes`` None: this program pushes nothing and keeps none.
 */
export interface Me {
  resident: string;
  device: string;
  lang: Lang;
  rooms: MyRoom[];
  push: boolean;
  wishes: NoticePreferencesOutput | null;
}
/** A room that the resident has joined. */
export interface MyRoom {
  room: string;
  name: string;
  local_url: string | null;
}
/** A resident's wishes. A kind that is not named is told by app and push; ``quiet`` None: never. */
export interface NoticePreferencesOutput {
  choices: {
    [k: string]: Choice;
  };
  quiet: QuietHours | null;
}
/** From ``begin`` to ``end`` each day, by the clocks of ``zone``; over midnight if ``end`` is earlier. */
export interface QuietHours {
  begin: string;
  end: string;
  zone: string;
}
/**
 * ``PUT /me``: preferences. What is left out, or None, stays as it is.
 *
 * ``wishes`` is taken by the relay alone: it decides who is told and how.
 */
export interface MeBody {
  lang?: Lang | null;
  wishes?: NoticePreferencesInput | null;
}
/** A resident's wishes. A kind that is not named is told by app and push; ``quiet`` None: never. */
export interface NoticePreferencesInput {
  choices?: {
    [k: string]: Choice;
  };
  quiet?: QuietHours | null;
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
/** Something this resident should be told. */
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
  type: "notice";
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
/** An RFC 9457 problem document, ``application/problem+json``. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  fields: string[];
}
/** A programme that residents may name when they start a machine of ``kind``. */
export interface Programme {
  programme: string;
  kind: MachineKind;
  name: string;
  minutes: number;
}
/** Answer of ``GET /push/key``: the relay's VAPID public key, uncompressed point, base64url. */
export interface PushKey {
  key: string;
}
/** RFC 8291: the browser's public key (65 bytes) and secret (16 bytes), base64url. */
export interface PushKeys {
  p256dh: string;
  auth: string;
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
 */
export interface RoomResume {
  epoch: string;
  offset: number;
  was_recovering: boolean;
  recovered: boolean;
}
/**
 * A whole room at a position that was taken before the machines were read.
 *
 * ``edge`` is None on the room's own page: there the edge itself answers.
 */
export interface RoomSnapshot {
  room: string;
  name: string;
  position: Position;
  at: string;
  edge: EdgeStatus | null;
  durable: boolean;
  machines: MachineView[];
  programmes: Programme[];
}
/** The room's edge came or went. */
export interface RoomStatus {
  type: "room_status";
  room: string;
  edge: EdgeStatus;
}
/** ``PUT /push/subscriptions``: ``PushSubscription.toJSON()`` and the key it has, None: the present. */
export interface SubscriptionBody {
  endpoint: string;
  keys: PushKeys;
  expirationTime?: number | null;
  application_server_key?: string | null;
}
/** Answer of ``POST /rooms/{room}/voucher``: opens the room's own page at ``local_url``, if known. */
export interface Voucher {
  token: string;
  local_url: string | null;
  expires_at: string;
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
