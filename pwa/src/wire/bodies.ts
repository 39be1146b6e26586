/* Made by `npm run types` from schema.json. Change laundryd/wire instead. */

import type {
  ActionId,
  AnnouncementKind,
  AnnouncementState,
  Choice,
  DeliveryState,
  Lang,
  MachineKind,
  NoticeKind,
  PushTry,
  Repeat,
} from "./names";
import type {
  AnnouncementText,
  CommandError,
  EdgeStatus,
  MachineView,
  Position,
} from "./frames";

/**
 * One announcement as staff sees it.
 *
 * ``next_at``: when it goes, None when it does not any more. ``shown_until``: the end of what is shown
 * now, None when nothing is.
 */
export interface Announcement {
  id: string;
  author: string;
  created_at: string;
  state: AnnouncementState;
  next_at: string | null;
  shown_until: string | null;
  body: AnnouncementBodyOutput;
  counts: AnnouncementCounts;
}
/**
 * ``POST /announcements``, and ``PUT /announcements/{id}`` before it has gone.
 *
 * ``texts``: in one language at least; who reads the other one is shown it in this. ``at`` None: now.
 * ``repeat`` goes on from ``at`` by the clocks of ``zone``, until ``repeat_until`` if that is given.
 * Each occurrence is shown for ``shown_for_min`` minutes. ``urgent``: not held back by quiet hours.
 * ``sound`` false: phones show it silently.
 */
export interface AnnouncementBodyOutput {
  kind: AnnouncementKind;
  target: TargetOutput;
  texts: {
    [k: string]: AnnouncementText;
  };
  sound: boolean;
  urgent: boolean;
  at: string | null;
  repeat: Repeat | null;
  zone: string | null;
  repeat_until: string | null;
  shown_for_min: number;
}
/** Whom it concerns: a site, a room, or a machine of a room; none of them: everybody. */
export interface TargetOutput {
  site: string | null;
  room: string | null;
  machine: string | null;
}
/**
 * How many residents of the newest occurrence were addressed, and what became of their notices.
 *
 * Each resident counts once, in the first that holds: ``read``; ``on_socket``, a page showed it;
 * ``pushed``; ``app_only``, their wish: in the app when they come; ``failed``: not reached, or too late;
 * ``waiting``: still to be told, in quiet hours say.
 */
export interface AnnouncementCounts {
  addressed: number;
  read: number;
  on_socket: number;
  pushed: number;
  app_only: number;
  failed: number;
  waiting: number;
}
/**
 * ``POST /announcements``, and ``PUT /announcements/{id}`` before it has gone.
 *
 * ``texts``: in one language at least; who reads the other one is shown it in this. ``at`` None: now.
 * ``repeat`` goes on from ``at`` by the clocks of ``zone``, until ``repeat_until`` if that is given.
 * Each occurrence is shown for ``shown_for_min`` minutes. ``urgent``: not held back by quiet hours.
 * ``sound`` false: phones show it silently.
 */
export interface AnnouncementBodyInput {
  kind: AnnouncementKind;
  target?: TargetInput;
  texts: {
    [k: string]: AnnouncementText;
  };
  sound?: boolean;
  urgent?: boolean;
  at?: string | null;
  repeat?: Repeat | null;
  zone?: string | null;
  repeat_until?: string | null;
  shown_for_min?: number;
}
/** Whom it concerns: a site, a room, or a machine of a room; none of them: everybody. */
export interface TargetInput {
  site?: string | null;
  room?: string | null;
  machine?: string | null;
}
/** Answer of ``GET /announcements``: newest first, 200 at most; those of the last 30 days. */
export interface Announcements {
  announcements: Announcement[];
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
/** ``POST /rooms/{room}/machines/{machine}/{command}``. */
export interface CommandBody {
  id: string;
  minutes?: number | null;
  programme?: string | null;
  text?: string | null;
}
/**
 * One step: real time, the state it led to, and why.
 *
 * ``why``: one of ``Why``, or what push services answered (``http_410``); empty: the state says it all.
 */
export interface DeliveryStep {
  at: string;
  state: DeliveryState;
  why: string;
}
/** ``PUT /push/fcm``: the token that FCM gave this device's app. ``name``: as in ``SubscriptionBody``. */
export interface FcmBody {
  token: string;
  name?: string | null;
}
/**
 * The relay's Firebase project as an app must know it to register with FCM; all of it is public.
 *
 * ``vapid_key``: of the project's web push certificate, uncompressed point, base64url.
 */
export interface FcmWeb {
  project_id: string;
  api_key: string;
  app_id: string;
  sender_id: string;
  vapid_key: string;
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
 * ``push_lost_at``: this device had one, and its push service has forgotten it, real time; None: not so.
 * ``wishes`` None: this program pushes nothing and keeps none. ``relay_url``: where they are kept
 * instead; None: here, or nowhere, in a room without a relay.
 */
export interface Me {
  resident: string;
  device: string;
  lang: Lang;
  rooms: MyRoom[];
  push: boolean;
  push_lost_at: string | null;
  wishes: NoticePreferencesOutput | null;
  relay_url: string | null;
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
 * One notice in ``MyNotices``: what became of it, and each step of its way, oldest first.
 *
 * ``told``: a page showed it, or a push service took it.
 */
export interface MyNotice {
  notice: NoticeCard;
  told: boolean;
  state: DeliveryState;
  steps: DeliveryStep[];
}
/**
 * A notice as its resident gets it: on a socket, in a list, in a push. It does not say who.
 *
 * ``machine`` is None only where the kind's row says that it may be about none (``of_machine``).
 * ``actions``: those of its row's buttons that could be meant when it was caused (a machine whose plug
 * saw the end cannot be extended); None: whoever caused it did not say, so all of them.
 * ``urgent``: quiet hours do not hold it back, whatever its row says; ``silent``: it is shown without a
 * sound. Both are for staff to say, of an announcement.
 */
export interface NoticeCard {
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
}
/** Answer of ``GET /me/notices``: the last 30 days, newest first, 300 at most. */
export interface MyNotices {
  notices: MyNotice[];
}
/**
 * One device that pushes reach, or reached; all times are real.
 *
 * ``here``: it belongs to the device that asks. ``seen_at``: when its app last started. ``expires_at``:
 * when the browser says that it ends, None: no end is known. ``sent_at``: when its push service last
 * took something, None: never. ``fault``: what went wrong since. ``lost``: its push service has
 * forgotten it, ``fault`` says when; it rings no more.
 */
export interface MySubscription {
  id: string;
  name: string;
  here: boolean;
  created_at: string;
  seen_at: string;
  expires_at: string | null;
  sent_at: string | null;
  fault: PushFault | null;
  lost: boolean;
}
/**
 * The last thing that went wrong with a bell; real time.
 *
 * ``kind``: ``http_`` and the push service's status, ``fcm_`` and what FCM calls it, or the name of what
 * failed: ``timeout``, ``dns``, ``tls``, ``connection``, ``unusable_keys``, ``endpoint_refused``,
 * ``private_address``; ``key_dropped``: the relay's push key was changed, and the app was not opened in
 * all the time that both were good.
 */
export interface PushFault {
  at: string;
  kind: string;
}
/**
 * Answer of ``GET /push/subscriptions``: the resident's own, of all their devices, oldest first.
 *
 * And of ``GET /staff/residents/{resident}/subscriptions``, where none is ``here``.
 */
export interface MySubscriptions {
  subscriptions: MySubscription[];
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
/**
 * Answer of ``GET /push/key``: the relay's VAPID public key, uncompressed point, base64url.
 *
 * ``fcm``: Android devices register with that instead, None: this relay pushes by Web Push alone.
 */
export interface PushKey {
  key: string;
  fcm: FcmWeb | null;
}
/** RFC 8291: the browser's public key (65 bytes) and secret (16 bytes), base64url. */
export interface PushKeys {
  p256dh: string;
  auth: string;
}
/** Answer of ``POST /push/test``: every device of the resident's that was tried. */
export interface PushTested {
  tried: Tried[];
}
/** What came of a test at one device. ``kind``: as in ``PushFault``, empty when it was accepted. */
export interface Tried {
  id: string;
  name: string;
  here: boolean;
  outcome: PushTry;
  kind: string;
}
/**
 * A whole room at a position that was taken before the machines were read.
 *
 * ``edge`` is None on the room's own page: there the edge itself answers. ``run`` is the run of the
 * answering server's store, which a page keeps with the position; None: it names none.
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
  run: string | null;
}
/** A machine that can be addressed. */
export interface StaffMachine {
  machine: string;
  name: string;
}
/** Answer of ``GET /staff/me`` and of the sign-in: who is signed in, and what can be addressed. */
export interface StaffMe {
  name: string;
  rooms: StaffRoom[];
}
/** A room that can be addressed, with its machines as last heard. */
export interface StaffRoom {
  room: string;
  name: string;
  machines: StaffMachine[];
}
/**
 * A resident as staff finds them; all times are real.
 *
 * ``devices``: what their devices called themselves when they joined, oldest first. ``bells``: how many
 * subscriptions a push reaches. ``untold``: notices of the last 30 days that should have reached them and
 * did not.
 */
export interface StaffResident {
  resident: string;
  rooms: string[];
  joined_at: string;
  devices: string[];
  bells: number;
  untold: number;
}
/**
 * Answer of ``GET /staff/residents``: who joined last comes first, ``FOUND_MAX`` at most.
 *
 * ``more``: there are others, which what was looked for fits as well.
 */
export interface StaffResidents {
  residents: StaffResident[];
  more: boolean;
}
/** ``POST /staff/sign-in``: the one-time secret of the link that ``laundryd relay staff add`` made. */
export interface StaffSignIn {
  secret: string;
}
/**
 * ``PUT /push/subscriptions``: what ``PushSubscription.toJSON()`` gives, and whose browser it is.
 *
 * ``expirationTime``: Unix milliseconds, None: no end is known. ``name``: what the browser says that it
 * is; None: as the device was called when it joined. ``replaces``: the endpoint of the subscription that
 * this browser had before, which is forgotten. ``application_server_key``: the server's key that it was
 * made with, base64url, None: the present one.
 */
export interface SubscriptionBody {
  endpoint: string;
  keys: PushKeys;
  expirationTime?: number | null;
  name?: string | null;
  replaces?: string | null;
  application_server_key?: string | null;
}
/** Answer of ``POST /rooms/{room}/voucher``: opens the room's own page at ``local_url``, if known. */
export interface Voucher {
  token: string;
  local_url: string | null;
  expires_at: string;
}
