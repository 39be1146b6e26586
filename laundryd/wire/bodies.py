"""Bodies of the HTTP interface, both programs'. Base path ``/api/v1``."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from laundryd.wire.commands import MAX_PROGRAMME_MIN, FaultText
from laundryd.wire.delivery import DeliveryState, DeliveryStep
from laundryd.wire.ids import ClosedModel, CommandId, DeviceId, ResidentId, RoomKey, Slug, WireModel
from laundryd.wire.notices import Lang, NoticeCard
from laundryd.wire.preferences import NoticePreferences
from laundryd.wire.subscriptions import DeviceWords
from laundryd.wire.times import Moment

Code = Annotated[str, StringConstraints(min_length=6, max_length=20, strip_whitespace=True)]
DeviceName = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
Token = Annotated[str, StringConstraints(min_length=20, max_length=4_096)]
Endpoint = Annotated[str, StringConstraints(min_length=10, max_length=2_000)]
EXPIRATION_MAX_MS: Final = 253_402_300_799_000
"""The end of the year 9999, Unix milliseconds: the last moment that can be written."""
Base64Url = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+={0,2}$", max_length=200)]


class JoinBody(ClosedModel):
    """``POST /join``: exactly one of ``code`` (relay, or a room without one) and ``voucher`` (edge)."""

    code: Code | None = None
    voucher: Token | None = None
    device_name: DeviceName = "Browser"
    lang: Lang = Lang.EN


class LinkBody(ClosedModel):
    """``POST /devices/link``: the one-time code shown on a device that is already joined."""

    code: Code
    device_name: DeviceName = "Browser"
    lang: Lang = Lang.EN


class LinkCode(WireModel):
    """Answer of ``POST /devices/link-code``: the code, and until when it may be used once (real time)."""

    code: str
    expires_at: Moment


class Joined(WireModel):
    """Answer of ``join`` and ``link``; the token itself goes into an HttpOnly cookie.

    ``token`` is given too only to a client that asked with ``Accept: application/json; token=1``:
    programs without a cookie jar.
    """

    resident: ResidentId
    device: DeviceId
    rooms: list[RoomKey]
    token: str | None = None


class Voucher(WireModel):
    """Answer of ``POST /rooms/{room}/voucher``: opens the room's own page at ``local_url``, if known."""

    token: str
    local_url: str | None
    expires_at: Moment


class MyRoom(WireModel):
    """A room that the resident has joined."""

    room: RoomKey
    name: str
    local_url: str | None = None


class Me(WireModel):
    """Answer of ``GET /me``: the resident behind the token. ``push``: a subscription is held here.

    ``push_lost_at``: this device had one, and its push service has forgotten it, real time; None: not so.
    ``wishes`` None: this program pushes nothing and keeps none. ``relay_url``: where they are kept
    instead; None: here, or nowhere, in a room without a relay.
    """

    resident: ResidentId
    device: DeviceId
    lang: Lang
    rooms: list[MyRoom]
    push: bool = False
    push_lost_at: Moment | None = None
    wishes: NoticePreferences | None = None
    relay_url: str | None = None


class MyNotice(WireModel):
    """One notice in ``MyNotices``: what became of it, and each step of its way, oldest first.

    ``told``: a page showed it, or a push service took it.
    """

    notice: NoticeCard
    told: bool
    state: DeliveryState
    steps: list[DeliveryStep]


class MyNotices(WireModel):
    """Answer of ``GET /me/notices``: the last 30 days, newest first, 300 at most."""

    notices: list[MyNotice]


class MeBody(ClosedModel):
    """``PUT /me``: preferences. What is left out, or None, stays as it is.

    ``wishes`` is taken by the relay alone: it decides who is told and how.
    """

    lang: Lang | None = None
    wishes: NoticePreferences | None = None


class CommandBody(ClosedModel):
    """``POST /rooms/{room}/machines/{machine}/{command}``."""

    id: CommandId
    minutes: Annotated[int, Field(ge=1, le=MAX_PROGRAMME_MIN)] | None = None
    programme: Slug | None = None
    text: FaultText | None = None


class PushKeys(ClosedModel):
    """RFC 8291: the browser's public key (65 bytes) and secret (16 bytes), base64url."""

    p256dh: Base64Url
    auth: Base64Url


class SubscriptionBody(ClosedModel):
    """``PUT /push/subscriptions``: what ``PushSubscription.toJSON()`` gives, and whose browser it is.

    ``expirationTime``: Unix milliseconds, None: no end is known. ``name``: what the browser says that it
    is; None: as the device was called when it joined. ``replaces``: the endpoint of the subscription that
    this browser had before, which is forgotten. ``application_server_key``: the server's key that it was
    made with, base64url, None: the present one.
    """

    endpoint: Endpoint
    keys: PushKeys
    expirationTime: Annotated[float, Field(ge=0, le=EXPIRATION_MAX_MS)] | None = None  # noqa: N815 -- the W3C Push API's own spelling
    name: DeviceWords | None = None
    replaces: Endpoint | None = None
    application_server_key: Annotated[str, StringConstraints(max_length=100)] | None = None


FcmToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_:%.-]{20,1000}$")]


class FcmBody(ClosedModel):
    """``PUT /push/fcm``: the token that FCM gave this device's app. ``name``: as in ``SubscriptionBody``."""

    token: FcmToken
    name: DeviceWords | None = None


class FcmWeb(WireModel):
    """The relay's Firebase project as an app must know it to register with FCM; all of it is public.

    ``vapid_key``: of the project's web push certificate, uncompressed point, base64url.
    """

    project_id: str
    api_key: str
    app_id: str
    sender_id: str
    vapid_key: str


class PushKey(WireModel):
    """Answer of ``GET /push/key``: the relay's VAPID public key, uncompressed point, base64url.

    ``fcm``: Android devices register with that instead, None: this relay pushes by Web Push alone.
    """

    key: str
    fcm: FcmWeb | None = None


class Problem(WireModel):
    """An RFC 9457 problem document, ``application/problem+json``."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    fields: list[str] = Field(default_factory=list)
