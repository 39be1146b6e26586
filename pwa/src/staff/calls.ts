/** Staff's part of the HTTP interface, one function a call. */

import { ask } from "../api/http";
import type { Announcement, AnnouncementBodyInput, Announcements, StaffMe } from "../wire/types";

const at = (id: string) => `/announcements/${encodeURIComponent(id)}`;

export const signIn = (secret: string) => ask<StaffMe>("POST", "/staff/sign-in", { secret });
export const getStaff = () => ask<StaffMe>("GET", "/staff/me");
export const signOut = () => ask<unknown>("DELETE", "/staff/me", {});
export const getAnnouncements = () => ask<Announcements>("GET", "/announcements");
export const announce = (body: AnnouncementBodyInput) =>
  ask<Announcement>("POST", "/announcements", body);
export const rewrite = (id: string, body: AnnouncementBodyInput) =>
  ask<Announcement>("PUT", at(id), body);
export const cancel = (id: string) => ask<Announcement>("DELETE", at(id), {});
