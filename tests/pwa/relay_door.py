"""What the page sees of a relay: a room, and behind it notices, wishes and bells, chosen by each test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from fastapi import FastAPI, Response
from typing_extensions import override

from laundryd.daemon.problems import ProblemError
from laundryd.wire.bodies import (
    CommandBody,
    FcmBody,
    FcmWeb,
    Me,
    MeBody,
    MyNotice,
    MyNotices,
    MyRoom,
    PushKey,
    SubscriptionBody,
)
from laundryd.wire.delivery import DeliveryState, DeliveryStep
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import Position
from laundryd.wire.notices import NoticeKind, derive
from laundryd.wire.preferences import NoticePreferences
from laundryd.wire.subscriptions import MySubscription, MySubscriptions, PushTested, Tried

from .room_door import ROOM, RoomDoor, in_minutes

Steps = list[tuple[float, DeliveryState, str]]


def told(number: int, kind: NoticeKind, steps: Steps, **params: str | int) -> MyNotice:
    """Return a notice with its way; a step is minutes ago, state and why."""
    at = in_minutes(-steps[0][0])
    card = derive(
        kind,
        room=ROOM,
        position=Position(epoch="e1", offset=number),
        machine="w1",
        resident="r",
        params={"name": "Washer 1", **params},
        at=at,
    ).card()
    state = steps[-1][1]
    return MyNotice(
        notice=card,
        told=state in {DeliveryState.PUSHED, DeliveryState.SHOWN, DeliveryState.READ},
        state=state,
        steps=[DeliveryStep(at=in_minutes(-ago), state=one, why=why) for ago, one, why in steps],
    )


def bell(name: str, *, here: bool = False, **more: object) -> MySubscription:
    """Return a bell that was switched on five days ago."""
    return MySubscription.model_validate(
        {
            "id": sha256(name.encode()).hexdigest()[:16],
            "name": name,
            "here": here,
            "created_at": in_minutes(-5 * 24 * 60),
            "seen_at": in_minutes(-30),
            **more,
        }
    )


class RelayDoor(RoomDoor):
    """A relay as a page meets it. ``wishes`` None: a room's own page, of the relay at ``relay_url``."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes: NoticePreferences | None = NoticePreferences()
        self.relay_url: str | None = None
        self.notices: list[MyNotice] = []
        self.bells: list[MySubscription] = []
        self.tried: list[Tried] = []
        self.refused: ErrorCode | None = None
        self.asked: list[str] = []
        self.push_key: str | None = "B" + "A" * 86
        self.fcm: FcmWeb | None = None
        self.lost_at: datetime | None = None
        self.held = False
        self.dead: str | None = None
        self.subscribed: list[SubscriptionBody | FcmBody] = []
        self.posted: list[CommandBody] = []

    @override
    def me(self) -> Me:
        """Say who asks."""
        return Me(
            resident="r",
            device="d",
            lang=self.lang,
            rooms=[MyRoom(room=ROOM, name="Maple Hall")],
            wishes=self.wishes,
            relay_url=self.relay_url,
            push=self.held,
            push_lost_at=self.lost_at,
        )

    def _may(self, what: str) -> None:
        self.asked.append(what)
        if self.refused is not None:
            raise ProblemError(self.refused, retry_after_s=90)

    def _keep(self, body: SubscriptionBody | FcmBody) -> Response:
        self.subscribed.append(body)
        self._may("subscribe")
        if isinstance(body, FcmBody) and body.token == self.dead:
            raise ProblemError(ErrorCode.SUBSCRIPTION_DEAD)
        self.held, self.lost_at = True, None
        return Response(status_code=204)

    @override
    def routes(self, app: FastAPI) -> None:
        """Add what a relay has beside a room."""

        @app.put("/api/v1/me")
        async def put_me(body: MeBody) -> Me:
            self._may("put me")
            self.lang = body.lang if body.lang is not None else self.lang
            self.wishes = body.wishes if body.wishes is not None else self.wishes
            return self.me()

        @app.get("/api/v1/me/notices")
        async def my_notices() -> MyNotices:
            self._may("notices")
            return MyNotices(notices=self.notices)

        self._push_routes(app)

        @app.post(f"/api/v1/rooms/{ROOM}/machines/w4/coming")
        async def coming(body: CommandBody) -> dict[str, bool]:
            self._may("coming")
            self.posted.append(body)
            return {"ok": True}

    def _push_routes(self, app: FastAPI) -> None:
        @app.get("/api/v1/push/key")
        async def key() -> PushKey:
            if self.push_key is None:
                raise ProblemError(ErrorCode.NOT_FOUND)
            return PushKey(key=self.push_key, fcm=self.fcm)

        @app.put("/api/v1/push/subscriptions")
        async def subscribe(body: SubscriptionBody) -> Response:
            return self._keep(body)

        @app.put("/api/v1/push/fcm")
        async def register(body: FcmBody) -> Response:
            return self._keep(body)

        @app.delete("/api/v1/push/subscriptions")
        async def unsubscribe() -> Response:
            self._may("unsubscribe")
            self.held = False
            return Response(status_code=204)

        @app.get("/api/v1/push/subscriptions")
        async def bells() -> MySubscriptions:
            return MySubscriptions(subscriptions=self.bells)

        @app.delete("/api/v1/push/subscriptions/{one}")
        async def remove(one: str) -> Response:
            self._may(f"remove {one}")
            self.bells = [kept for kept in self.bells if kept.id != one]
            return Response(status_code=204)

        @app.post("/api/v1/push/test")
        async def test() -> PushTested:
            self._may("test")
            return PushTested(tried=self.tried)


def a_month() -> list[MyNotice]:
    """Return notices of every fate, newest first."""
    day = 24 * 60.0
    s = DeliveryState
    ways: list[tuple[NoticeKind, dict[str, int], Steps]] = [
        (NoticeKind.DONE, {}, [
            (3, s.WAITING, "attentive"), (2.95, s.SHOWN, "at_relay"), (1, s.READ, "at_room"),
        ]),
        (NoticeKind.ENDING_SOON, {"minutes": 5}, [
            (8, s.WAITING, "attentive"), (7.9, s.DUE, "no_answer"), (7.9, s.SENDING, ""),
            (7.88, s.PUSHED, ""),
        ]),
        (NoticeKind.REMINDER, {"minutes": 15}, [
            (20, s.DUE, "away"), (20, s.UNREACHABLE, "no_subscription"),
        ]),
        (NoticeKind.REPAIRED, {}, [(60, s.QUIET, "quiet_hours")]),
        (NoticeKind.STARTED, {}, [(day, s.APP_ONLY, "kind")]),
        (NoticeKind.HOLD_ENDED, {}, [(day + 5, s.DECLINED, "wished")]),
        (NoticeKind.MACHINE_FREE, {"minutes": 3}, [
            (2 * day, s.DUE, "away"), (2 * day, s.SENDING, ""),
            (2 * day - 5, s.UNREACHABLE, "http_403, timeout"),
        ]),
        (NoticeKind.PICKUP_REQUESTED, {}, [
            (3 * day, s.QUIET, "quiet_hours"), (3 * day - 60, s.MOOT, "outdated"),
        ]),
        (NoticeKind.OWNER_COMING, {}, [
            (9 * day, s.HELD, "catching_up"), (9 * day, s.EXPIRED, ""),
        ]),
    ]  # fmt: skip
    return [told(9 - at, kind, steps, **params) for at, (kind, params, steps) in enumerate(ways)]


def bells() -> list[MySubscription]:
    """Return a bell of each condition."""
    return [
        bell("Chrome on Android", here=True, sent_at=in_minutes(-7)),
        bell("Firefox on Linux", fault={"at": in_minutes(-90), "kind": "http_429"}),
        bell("Safari on iPhone", lost=True, fault={"at": in_minutes(-3000), "kind": "http_410"}),
        bell("Edge on Windows", expires_at=datetime.now(UTC) + timedelta(days=3)),
    ]
