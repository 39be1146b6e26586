/** The HTTP interface, one function a call. */

import type {
  CommandAnswer,
  CommandName,
  CommandParams,
  FcmBody,
  Joined,
  Lang,
  LinkCode,
  Me,
  MyNotices,
  MySubscriptions,
  NoticePreferencesInput,
  PushKey,
  PushTested,
  RoomSnapshot,
  SubscriptionBody,
  Voucher,
} from "../wire/types";
import { ask } from "./http";

const segment = encodeURIComponent;

export const getMe = () => ask<Me>("GET", "/me");
export const putLang = (lang: Lang) => ask<unknown>("PUT", "/me", { lang });

export const putWishes = (wishes: NoticePreferencesInput) => ask<Me>("PUT", "/me", { wishes });
/** The last 30 days, newest first; reading it acknowledges nothing. */
export const getMyNotices = () => ask<MyNotices>("GET", "/me/notices");

export const getRoom = (room: string) => ask<RoomSnapshot>("GET", `/rooms/${segment(room)}`);

export const joinWithCode = (code: string, device_name: string, lang: Lang) =>
  ask<Joined>("POST", "/join", { code, device_name, lang });
export const joinWithVoucher = (voucher: string, device_name: string, lang: Lang) =>
  ask<Joined>("POST", "/join", { voucher, device_name, lang });
export const linkDevice = (code: string, device_name: string, lang: Lang) =>
  ask<Joined>("POST", "/devices/link", { code, device_name, lang });

export const makeLinkCode = () => ask<LinkCode>("POST", "/devices/link-code", {});
export const makeVoucher = (room: string) =>
  ask<Voucher>("POST", `/rooms/${segment(room)}/voucher`, {});

export const sendCommand = (
  room: string,
  machine: string,
  name: CommandName,
  id: string,
  params: CommandParams,
) =>
  ask<CommandAnswer>(
    "POST",
    `/rooms/${segment(room)}/machines/${segment(machine)}/${name}`,
    { id, ...params },
  );

export const getPushKey = () => ask<PushKey>("GET", "/push/key");
export const putSubscription = (subscription: SubscriptionBody) =>
  ask<unknown>("PUT", "/push/subscriptions", subscription);
export const putFcm = (registration: FcmBody) => ask<unknown>("PUT", "/push/fcm", registration);
/** The bells of all one's own devices. */
export const getSubscriptions = () => ask<MySubscriptions>("GET", "/push/subscriptions");
export const removeSubscription = (id: string) =>
  ask<unknown>("DELETE", `/push/subscriptions/${segment(id)}`, {});
export const testBells = () => ask<PushTested>("POST", "/push/test", {});
/** This device's, whichever it is. */
export const deleteSubscription = () => ask<unknown>("DELETE", "/push/subscriptions", {});
