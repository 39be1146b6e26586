/** A push subscription as the server takes it, from the page and from the service worker. */

import type { SubscriptionBody } from "../wire/types";

/** What the server wants of a subscription, and nothing that a newer browser may add. */
export function bodyOf(
  subscription: Pick<PushSubscription, "toJSON">,
  name: string,
  replaces: string | null,
): SubscriptionBody {
  const { endpoint = "", expirationTime = null, keys = {} } = subscription.toJSON();
  const { p256dh = "", auth = "" } = keys;
  return { endpoint, expirationTime, keys: { p256dh, auth }, name, replaces };
}
