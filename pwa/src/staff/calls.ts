/** Staff's part of the HTTP interface, one function a call. */

import { ask } from "../api/http";
import type {
  Announcement,
  AnnouncementBodyInput,
  Announcements,
  MyNotices,
  MySubscriptions,
  StaffMe,
  StaffResidents,
} from "../wire/types";

const at = (id: string) => `/announcements/${encodeURIComponent(id)}`;
const of = (resident: string) => `/staff/residents/${encodeURIComponent(resident)}`;

export const signIn = (secret: string) => ask<StaffMe>("POST", "/staff/sign-in", { secret });
export const getStaff = () => ask<StaffMe>("GET", "/staff/me");
export const signOut = () => ask<unknown>("DELETE", "/staff/me", {});
export const getAnnouncements = () => ask<Announcements>("GET", "/announcements");
export const announce = (body: AnnouncementBodyInput) =>
  ask<Announcement>("POST", "/announcements", body);
export const rewrite = (id: string, body: AnnouncementBodyInput) =>
  ask<Announcement>("PUT", at(id), body);
export const cancel = (id: string) => ask<Announcement>("DELETE", at(id), {});

/** `room` empty: in all rooms. */
export function findResidents(sought: string, room: string): Promise<StaffResidents> {
  const query = new URLSearchParams({ sought, ...(room === "" ? {} : { room }) });
  return ask<StaffResidents>("GET", `/staff/residents?${query.toString()}`);
}
export const getNoticesOf = (resident: string) => ask<MyNotices>("GET", `${of(resident)}/notices`);
export const getSubscriptionsOf = (resident: string) =>
  ask<MySubscriptions>("GET", `${of(resident)}/subscriptions`);
