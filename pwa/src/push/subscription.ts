/** A push subscription as the server takes it, from the page and from the service worker. */

import { toBase64url } from "../bell/key";
import type { SubscriptionBody } from "../wire/types";

/** What the server wants of a subscription, and nothing that a newer browser may add. */
export function bodyOf(
  subscription: Pick<PushSubscription, "toJSON" | "options">,
  name: string,
  replaces: string | null,
): SubscriptionBody {
  const { endpoint = "", expirationTime = null, keys = {} } = subscription.toJSON();
  const { p256dh = "", auth = "" } = keys;
  const held = subscription.options.applicationServerKey;
  return {
    endpoint,
    expirationTime,
    keys: { p256dh, auth },
    name,
    replaces,
    application_server_key: held === null ? null : toBase64url(held),
  };
}
