"""The table of error codes: on HTTP a problem document (RFC 9457), on the socket and over MQTT a code.

A code is stable: apps and tests may branch on it. The sentence may improve.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ErrorCode(StrEnum):
    """Every way in which a request can be refused."""

    # who is asking
    UNAUTHENTICATED = "unauthenticated"
    ROSTER_AWAITED = "roster_awaited"
    FOREIGN_ORIGIN = "foreign_origin"
    FOREIGN_HOST = "foreign_host"
    FOREIGN_ROOM = "foreign_room"
    # how it is asked
    NOT_JSON = "not_json"
    INVALID_BODY = "invalid_body"
    TOO_LARGE = "too_large"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    RATE_LIMITED = "rate_limited"
    # joining and linking
    JOIN_CODE_INVALID = "join_code_invalid"
    JOIN_CODE_SPENT = "join_code_spent"
    JOIN_AT_RELAY = "join_at_relay"
    LINK_CODE_INVALID = "link_code_invalid"
    VOUCHER_INVALID = "voucher_invalid"
    # commands
    UNKNOWN_ROOM = "unknown_room"
    UNKNOWN_MACHINE = "unknown_machine"
    UNKNOWN_COMMAND = "unknown_command"
    ILLEGAL_MOVE = "illegal_move"
    NOT_YOURS = "not_yours"
    ALREADY_HOLDING = "already_holding"
    UNKNOWN_PROGRAMME = "unknown_programme"
    PICKUP_MUTED = "pickup_muted"
    NOBODY_ASKED = "nobody_asked"
    FREE_NOW = "free_now"
    EDGE_OFFLINE = "edge_offline"
    EDGE_TIMEOUT = "edge_timeout"
    EXPIRED = "expired"
    # staff
    STAFF_ONLY = "staff_only"
    STAFF_LINK_INVALID = "staff_link_invalid"
    UNKNOWN_TARGET = "unknown_target"
    UNKNOWN_ANNOUNCEMENT = "unknown_announcement"
    ALREADY_GONE = "already_gone"
    # push
    ENDPOINT_REFUSED = "endpoint_refused"
    SUBSCRIPTION_DEAD = "subscription_dead"
    SUBSCRIPTION_REMOVED = "subscription_removed"
    # ours
    BUSY = "busy"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """``status`` is the HTTP status; ``title`` the problem's title; ``remedy`` what the asker can do."""

    status: int
    title: str
    remedy: str


ERRORS: Final[dict[ErrorCode, ErrorRow]] = {
    ErrorCode.UNAUTHENTICATED: ErrorRow(
        401, "No valid token for this server", "Join with the room's code, or link this device."
    ),
    ErrorCode.ROSTER_AWAITED: ErrorRow(
        503,
        "The room has not heard yet who its residents are",
        "Wait for as many seconds as Retry-After says; your token stands.",
    ),
    ErrorCode.FOREIGN_ORIGIN: ErrorRow(
        403, "The request comes from another site", "Open the app at this server's own address."
    ),
    ErrorCode.FOREIGN_HOST: ErrorRow(
        421, "This server does not answer to that name", "Admin: add the name to the allowed hosts."
    ),
    ErrorCode.FOREIGN_ROOM: ErrorRow(
        403, "You have not joined this room", "Join with this room's own code."
    ),
    ErrorCode.NOT_JSON: ErrorRow(
        415, "The body is not JSON", "Send a JSON object with Content-Type: application/json."
    ),
    ErrorCode.INVALID_BODY: ErrorRow(
        422,
        "The body has a wrong or missing field",
        "Mend the fields that are named and send again.",
    ),
    ErrorCode.TOO_LARGE: ErrorRow(
        413, "The body is too large", "Send less than the limit that is named."
    ),
    ErrorCode.NOT_FOUND: ErrorRow(
        404, "There is nothing at this address", "Look at /api/v1/openapi.json."
    ),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorRow(
        405, "This address has no such method", "Look at /api/v1/openapi.json."
    ),
    ErrorCode.RATE_LIMITED: ErrorRow(
        429, "Too many tries", "Wait for as many seconds as Retry-After says."
    ),
    ErrorCode.JOIN_CODE_INVALID: ErrorRow(
        403, "This join code is not valid", "Read the code on the notice in the laundry room again."
    ),
    ErrorCode.JOIN_CODE_SPENT: ErrorRow(
        403, "This join code has let in as many as it may", "Ask the staff for a new code."
    ),
    ErrorCode.JOIN_AT_RELAY: ErrorRow(
        409,
        "This room's residents join at the relay",
        "Open the address that is named and join there.",
    ),
    ErrorCode.LINK_CODE_INVALID: ErrorRow(
        403,
        "This link code is wrong, used or too old",
        "Make a new one on the device that is joined.",
    ),
    ErrorCode.VOUCHER_INVALID: ErrorRow(
        403, "This voucher does not open this room", "Open the room from the app again."
    ),
    ErrorCode.UNKNOWN_ROOM: ErrorRow(
        404, "There is no such room", "Look at the rooms you have joined."
    ),
    ErrorCode.UNKNOWN_MACHINE: ErrorRow(
        404, "There is no such machine in this room", "Look at the room's machines."
    ),
    ErrorCode.UNKNOWN_COMMAND: ErrorRow(
        404, "There is no such command", "Use one of those that the contract lists."
    ),
    ErrorCode.ILLEGAL_MOVE: ErrorRow(
        409, "The machine is in a phase that does not allow this", "Look at the machine again."
    ),
    ErrorCode.NOT_YOURS: ErrorRow(
        409, "The machine is somebody else's now", "Choose another machine, or wait."
    ),
    ErrorCode.ALREADY_HOLDING: ErrorRow(
        409, "You already hold a machine of this kind in this room", "Release that one first."
    ),
    ErrorCode.UNKNOWN_PROGRAMME: ErrorRow(
        422,
        "This machine has no such programme",
        "Choose one that the room lists, or give minutes.",
    ),
    ErrorCode.PICKUP_MUTED: ErrorRow(
        409, "The owner takes no requests to collect", "Choose another machine, or ask the staff."
    ),
    ErrorCode.NOBODY_ASKED: ErrorRow(
        409, "Nobody asked you to collect this", "Nothing needs to be answered."
    ),
    ErrorCode.FREE_NOW: ErrorRow(
        409, "A machine of this kind is free now", "Claim it, or go down and start it."
    ),
    ErrorCode.EDGE_OFFLINE: ErrorRow(
        503, "The laundry room cannot be reached", "Nothing was changed; try in the room, or later."
    ),
    ErrorCode.EDGE_TIMEOUT: ErrorRow(
        504,
        "The laundry room has not answered, it may be slow",
        "It may have been done: look at the machine before you try again.",
    ),
    ErrorCode.EXPIRED: ErrorRow(
        409,
        "Your wish reached the laundry room too late",
        "Nothing was changed; try again.",
    ),
    ErrorCode.STAFF_ONLY: ErrorRow(
        401,
        "Only staff may do this",
        "Open a sign-in link that `laundryd relay staff add` made.",
    ),
    ErrorCode.STAFF_LINK_INVALID: ErrorRow(
        403,
        "This sign-in link is wrong, used or too old",
        "Ask the admin for a new one: `laundryd relay staff add`.",
    ),
    ErrorCode.UNKNOWN_TARGET: ErrorRow(
        404, "There is nothing of that name to announce to", "Look at the rooms and machines."
    ),
    ErrorCode.UNKNOWN_ANNOUNCEMENT: ErrorRow(
        404, "There is no such announcement", "Look at the list of announcements."
    ),
    ErrorCode.ALREADY_GONE: ErrorRow(
        409, "This announcement has gone, or is over", "Cancel it, and write a new one."
    ),
    ErrorCode.ENDPOINT_REFUSED: ErrorRow(
        422, "This push address is not one of a known push service", "Switch the bell on again."
    ),
    ErrorCode.SUBSCRIPTION_DEAD: ErrorRow(
        409,
        "The push service has forgotten this subscription",
        "End it in the browser and subscribe anew.",
    ),
    ErrorCode.SUBSCRIPTION_REMOVED: ErrorRow(
        409,
        "This device's bell was removed on another device of yours",
        "End the subscription in the browser; switching the bell on makes a new one.",
    ),
    ErrorCode.BUSY: ErrorRow(
        503, "The server is at its limit", "Wait for as many seconds as Retry-After says."
    ),
    ErrorCode.INTERNAL: ErrorRow(
        500, "Something went wrong here", "Try again; it was written to the log."
    ),
}
