"""Web Push: the relay's key, and this device's subscription. Nobody reads anybody's."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cloud_relay.api.services import Caller, Relay
from laundryd.daemon.openapi import CHANGING, SIGNED_IN, refusals
from laundryd.daemon.problems import ProblemError
from laundryd.wire.bodies import PushKey, SubscriptionBody
from laundryd.wire.errors import ErrorCode

router = APIRouter(prefix="/api/v1/push", tags=["push"])


@router.get("/key", responses=refusals())
async def push_key(relay: Relay) -> PushKey:
    """Return the key to subscribe with (`applicationServerKey`)."""
    return PushKey(key=relay.vapid_keys.present.public_key)


@router.put(
    "/subscriptions",
    status_code=204,
    responses=refusals(*CHANGING, *SIGNED_IN, ErrorCode.ENDPOINT_REFUSED),
)
async def subscribe(body: SubscriptionBody, relay: Relay, caller: Caller) -> Response:
    """Push to this device; sending the same again renews it."""
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
    return Response(status_code=204)


@router.delete("/subscriptions", status_code=204, responses=refusals(*CHANGING, *SIGNED_IN))
async def unsubscribe(relay: Relay, caller: Caller) -> Response:
    """Push to this device no more."""
    await relay.subscriptions.remove(caller.person.device)
    return Response(status_code=204)
