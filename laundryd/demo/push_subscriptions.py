"""Who is subscribed at the local push service, and which endpoint leads to whom. No I/O."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus

from laundryd.demo.push_mailbox import Mailbox
from laundryd.demo.push_request import PushRefusedError


@dataclass(slots=True)
class UserAgent:
    """One browser profile or phone: its mailbox, and its subscriptions' tokens by channel."""

    uaid: str
    mailbox: Mailbox = field(default_factory=Mailbox)
    tokens: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """One subscription; ``application_server_key`` is 65 bytes, None if any sender may push."""

    token: str
    channel_id: str
    user_agent: UserAgent
    application_server_key: bytes | None


class PushSubscriptions:
    """Every user agent and subscription that the service knows, or knew: a dropped one is gone."""

    def __init__(self) -> None:
        self._user_agents: dict[str, UserAgent] = {}
        self._by_token: dict[str, PushSubscription] = {}
        self._gone: set[str] = set()

    def user_agent(self, uaid: str | None) -> UserAgent:
        """Return the user agent ``uaid``, or a new one with another id if it is not known."""
        known = self._user_agents.get(uaid) if uaid else None
        if known is not None:
            return known
        new = UserAgent(uaid=uuid.uuid4().hex)
        self._user_agents[new.uaid] = new
        return new

    def subscribe(
        self, user_agent: UserAgent, channel_id: str, application_server_key: bytes | None
    ) -> PushSubscription:
        """Make a subscription for a channel; an older one of the same channel is gone."""
        self.unsubscribe(user_agent, channel_id)
        subscription = PushSubscription(
            token=secrets.token_urlsafe(24),
            channel_id=channel_id,
            user_agent=user_agent,
            application_server_key=application_server_key,
        )
        user_agent.tokens[channel_id] = subscription.token
        self._by_token[subscription.token] = subscription
        return subscription

    def unsubscribe(self, user_agent: UserAgent, channel_id: str) -> None:
        """Drop a channel's subscription, and its waiting messages; none is no error."""
        token = user_agent.tokens.pop(channel_id, None)
        if token is not None:
            del self._by_token[token]
            self._gone.add(token)
            user_agent.mailbox.drop_channel(channel_id)

    def expire(self, token: str) -> None:
        """Forget a subscription, as services do with old ones: its endpoint answers 410 from now on.

        Raises:
            KeyError: no such subscription.

        """
        subscription = self._by_token[token]
        self.unsubscribe(subscription.user_agent, subscription.channel_id)

    def forget_user_agents(self) -> None:
        """Lose everybody: each browser gets a new id at its next hello and must subscribe again."""
        for token in tuple(self._by_token):
            self.expire(token)
        self._user_agents.clear()

    def __contains__(self, token: str) -> bool:
        return token in self._by_token

    def find(self, token: str) -> PushSubscription:
        """Return the subscription of an endpoint's token.

        Raises:
            PushRefusedError: 410 if it is gone (RFC 8030 section 7.3), 404 if it never was.

        """
        subscription = self._by_token.get(token)
        if subscription is not None:
            return subscription
        if token in self._gone:
            raise PushRefusedError(HTTPStatus.GONE, "the subscription is gone")
        raise PushRefusedError(HTTPStatus.NOT_FOUND, "there is no such subscription")
