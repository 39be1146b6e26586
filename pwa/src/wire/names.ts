/* Made by `npm run types` from schema.json. Change laundryd/wire instead. */

/** A button of a notice; the name is stable, and what a push's ``action`` says. */
export type ActionId = "coming" | "collect" | "adopt" | "extend" | "claim" | "arrive" | "start";
/** Where an announcement stands; ``ANNOUNCEMENT_STATES`` says what each means. */
export type AnnouncementState = "scheduled" | "shown" | "ended" | "cancelled" | "missed";
/** What an announcement is about. */
export type AnnouncementKind = "repair" | "fault" | "maintenance" | "other";
/** How often an announcement occurs again, at the same time of day by the clocks of its zone. */
export type Repeat = "daily" | "weekly";
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
  | "roster_awaited"
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
  | "staff_only"
  | "staff_link_invalid"
  | "unknown_target"
  | "unknown_announcement"
  | "already_gone"
  | "endpoint_refused"
  | "subscription_dead"
  | "subscription_removed"
  | "busy"
  | "internal";
/** What has become of a notice; ``STATES`` says what each means. */
export type DeliveryState =
  | "held"
  | "waiting"
  | "due"
  | "sending"
  | "pushed"
  | "shown"
  | "read"
  | "quiet"
  | "app_only"
  | "declined"
  | "expired"
  | "moot"
  | "unreachable";
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
  | "announcement"
  | "bell_ending"
  | "test";
/** What came of one push to one device; ``TRIES`` says what each means. */
export type PushTry = "accepted" | "dead" | "refused" | "unanswered";
