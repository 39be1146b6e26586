"""Pushes: the relay's key, this device's subscription, and the bells of one's own devices.

Nobody reads or takes away anybody else's: another's is a 404, as if there were none.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from cloud_relay.api.services import Caller, Relay
from laundryd.daemon.openapi import CHANGING, SIGNED_IN, refusals
from laundryd.daemon.problems import ProblemError
from laundryd.wire.bodies import FcmBody, PushKey, SubscriptionBody
from laundryd.wire.errors import ErrorCode
from laundryd.wire.ids import ID_PATTERN
from laundryd.wire.subscriptions import MySubscriptions, PushTested, Tried

TESTS_MAX: Final = 5
TESTS_WINDOW_S: Final = 600.0
"""Tests of one resident in ten minutes: enough to try what was changed, too few to be a nuisance."""

router = APIRouter(prefix="/api/v1/push", tags=["push"])

# Only described: what does not fit is unknown, 404.
SubscriptionPath = Annotated[
    str,
    Path(
        description="The subscription's id, from the list.",
        json_schema_extra={"pattern": ID_PATTERN},
    ),
]


@router.get("/key", responses=refusals())
async def push_key(relay: Relay) -> PushKey:
    """Return the key to subscribe with (`applicationServerKey`), and what Android devices register with."""
    return PushKey(key=relay.vapid_keys.present.public_key, fcm=relay.fcm)


@router.get("/subscriptions", responses=refusals(*SIGNED_IN))
async def my_subscriptions(response: Response, relay: Relay, caller: Caller) -> MySubscriptions:
    """List the bells of your devices: what each is called, when it was seen, what went wrong last."""
    response.headers["Cache-Control"] = "no-store"
    person = caller.person
    return MySubscriptions(subscriptions=await relay.bells.of(person.resident, person.device))


@router.put(
    "/subscriptions",
    status_code=204,
    responses=refusals(
        *CHANGING,
        *SIGNED_IN,
        ErrorCode.ENDPOINT_REFUSED,
        ErrorCode.SUBSCRIPTION_DEAD,
        ErrorCode.SUBSCRIPTION_REMOVED,
    ),
)
async def subscribe(body: SubscriptionBody, relay: Relay, caller: Caller) -> Response:
    """Push to this device; sending the same again renews it, and says that its app was started."""
    key = body.application_server_key
    keys = relay.vapid_keys
    if key is not None and not keys.knows(key):
        raise ProblemError(
            ErrorCode.INVALID_BODY,
            "The subscription was made with a key that this relay does not have; subscribe anew with "
            "that of GET /api/v1/push/key.",
            fields=["body.application_server_key"],
        )
    told = body.model_copy(update={"application_server_key": key or keys.present.public_key})
    await relay.subscriptions.put(caller.person.device, told, relay.real_now())
    relay.bells_changed()
    return Response(status_code=204)


@router.put(
    "/fcm",
    status_code=204,
    responses=refusals(
        *CHANGING,
        *SIGNED_IN,
        ErrorCode.NOT_FOUND,
        ErrorCode.SUBSCRIPTION_DEAD,
        ErrorCode.SUBSCRIPTION_REMOVED,
    ),
)
async def register_with_fcm(body: FcmBody, relay: Relay, caller: Caller) -> Response:
    """Push to this device by FCM instead; sending the same token again says that its app was started."""
    if relay.fcm is None:
        raise ProblemError(ErrorCode.NOT_FOUND, "This relay does not push by FCM.")
    await relay.subscriptions.put_fcm(caller.person.device, body, relay.real_now())
    relay.bells_changed()
    return Response(status_code=204)


@router.delete("/subscriptions", status_code=204, responses=refusals(*CHANGING, *SIGNED_IN))
async def unsubscribe(relay: Relay, caller: Caller) -> Response:
    """Push to this device no more."""
    await relay.subscriptions.remove(caller.person.device)
    relay.bells_changed()
    return Response(status_code=204)


@router.delete(
    "/subscriptions/{subscription}",
    status_code=204,
    responses=refusals(*CHANGING, *SIGNED_IN, ErrorCode.NOT_FOUND),
)
async def take_away(subscription: SubscriptionPath, relay: Relay, caller: Caller) -> Response:
    """Push to this device of yours no more, whichever you ask from."""
    if not await relay.bells.remove(caller.person.resident, subscription, relay.real_now()):
        raise ProblemError(ErrorCode.NOT_FOUND, "You have no subscription of this id.")
    relay.bells_changed()
    return Response(status_code=204)


@router.post(
    "/test",
    responses=refusals(*CHANGING, *SIGNED_IN, ErrorCode.FOREIGN_ROOM, ErrorCode.RATE_LIMITED),
)
async def test_my_bells(response: Response, relay: Relay, caller: Caller) -> PushTested:
    """Send a test to each of your devices, and wait for what their push services say."""
    response.headers["Cache-Control"] = "no-store"
    person = caller.person
    if not person.rooms:
        raise ProblemError(ErrorCode.FOREIGN_ROOM, "A test leads to a room of yours.")
    wait_s = relay.push_tests.take(person.resident, relay.clock.monotonic_s())
    if wait_s is not None:
        raise ProblemError(
            ErrorCode.RATE_LIMITED,
            f"{TESTS_MAX} tests within {TESTS_WINDOW_S / 60:.0f} minutes, no more.",
            retry_after_s=wait_s,
        )
    bells = {bell.id: bell for bell in await relay.bells.of(person.resident, person.device)}
    names = {key: bell.name for key, bell in bells.items()}
    tried = await relay.trial.send(person.resident, min(person.rooms), names)
    return PushTested(
        tried=[
            Tried(id=key, name=bell.name, here=bell.here, outcome=tried[key][0], kind=tried[key][1])
            for key, bell in bells.items()
            if key in tried
        ]
    )
