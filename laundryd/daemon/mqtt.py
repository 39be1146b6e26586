"""The connection to a broker; the only module that imports aiomqtt.

What aiomqtt and paho do behind one's back, and what follows here:

- a publish that raised while offline is sent later if the same client is entered again: each
  connection gets a new client, and every message of ours is idempotent;
- whether the broker kept a session is hidden: each connection subscribes again and says its hello;
- leaving by an exception or a cancellation is a clean DISCONNECT, on which the broker publishes no
  will: ``run`` publishes the will's payload itself first;
- a cancellation may be swallowed: it is looked for after each call;
- a PUBACK, and even a SUBACK, is no proof of anything under an ACL: what matters is acknowledged by
  the other program.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Annotated, Final, NoReturn, Self

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from laundryd.wire.topics import QOS

log = logging.getLogger(__name__)

PUBLISH_TIMEOUT_S: Final = 10.0
"""A publish that got no PUBACK by then counts as failed; the sender's own protocol repeats it."""
PUBLISHES_IN_FLIGHT: Final = 8
"""Parallel publishes; a hundred starve a slow computer's loop."""
BACKOFF_FIRST_S: Final = 0.5
BACKOFF_CAP_S: Final = 15.0
GOODBYE_TIMEOUT_S: Final = 2.0
WILL_DELAY_S: Final = 3
"""Seconds that an MQTT 5 broker waits with a will: a client that is back by then was never gone."""
SESSION_EXPIRY_S: Final = 60
"""Seconds that an MQTT 5 broker keeps our session: over a restart, and longer than a will waits. A broker
of MQTT 3.1.1 keeps it for good. What it delivers late is told by its word, or its expiry, to be late."""
REFUSED_PROTOCOL: Final = 132
"""CONNACK reason: the broker does not speak MQTT 5 (section 3.2.2.2); we then speak 3.1.1."""
REFUSED_CREDENTIALS: Final = frozenset({4, 5, 134, 135})
"""CONNACK reasons of MQTT 3.1.1 and 5: bad user name or password, not authorized."""


class BrokerSettings(BaseModel):
    """Where a broker is and how to sign in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Name or address of the broker.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        1883, description="TCP port; 8883 is usual with TLS."
    )
    tls: bool = Field(False, description="Encrypt and check the broker's certificate.")
    ca_file: Path | None = Field(
        None, description="Certificate authority to trust instead of the system's."
    )
    username: str | None = Field(None, description="User name; none means anonymous.")
    password: SecretStr | None = Field(None, description="Password, best given as a credential.")
    keepalive_s: Annotated[int, Field(ge=5, le=600)] = Field(
        20,
        description="Seconds of silence after which either side looks whether the other lives: a broker "
        "that froze is missed after one and a half of them, before a resident wonders.",
    )

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.password is not None and self.username is None:
            raise ValueError("password needs a username beside it")
        if self.ca_file is None:
            return self
        if not self.tls:
            raise ValueError("ca_file needs tls = true")
        try:
            ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise ValueError(
                f"ca_file: a PEM file of certificates that can be read; {self.ca_file}: {error}"
            ) from error
        return self


@dataclass(frozen=True, slots=True)
class Message:
    """One message from a broker. ``retained``: it was kept, and may be old."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we vanish, and what we say ourselves when we leave."""

    topic: str
    payload: bytes


class MqttLink:
    """One program's connection to one broker, kept up for ever.

    ``client_id`` is stable: a new connection takes over the old one's place in order.
    ``subscriptions`` are topic filters. ``session_expiry_s`` 0 asks for nothing to be kept for us, and
    then a will does not wait. MQTT 5 is tried first, and 3.1.1 where a broker refuses it.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        client_id: str,
        *,
        name: str,
        subscriptions: Sequence[str] = (),
        will: Will | None = None,
        session_expiry_s: int = 0,
    ) -> None:
        self._broker = broker
        self._client_id = client_id
        self._name = name
        self._subscriptions = tuple(subscriptions)
        self._will = will
        self._session_expiry_s = session_expiry_s
        self._protocol = aiomqtt.ProtocolVersion.V5
        self._client: aiomqtt.Client | None = None
        self.trouble: str | None = None
        """Why we are not connected, for people; None while we are, and before the first try is over."""
        self._slots = asyncio.Semaphore(PUBLISHES_IN_FLIGHT)
        self._unconfirmed: set[asyncio.Timeout] = set()

    @property
    def connected(self) -> bool:
        """Whether the broker answered our connect and did not leave since."""
        return self._client is not None

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Publish at QoS 1; False when offline, refused or not answered in time. Safe to cancel.

        A connection that is lost meanwhile ends the wait at once: nobody will answer any more.
        """
        async with self._slots:
            client = self._client
            if client is None:
                return False
            try:
                async with asyncio.timeout(PUBLISH_TIMEOUT_S) as patience:
                    self._unconfirmed.add(patience)
                    try:
                        await client.publish(topic, payload, qos=QOS, retain=retain, timeout=inf)
                    finally:
                        self._unconfirmed.discard(patience)
            except (aiomqtt.MqttError, ValueError, TimeoutError) as error:
                log.debug("%s: publish failed: %s", self._name, error, extra={"topic": topic})
                return False
            _heed_cancellation()
            return True

    async def run(
        self,
        on_message: Callable[[Message], None],
        on_connect: Callable[[], Awaitable[None]],
        on_disconnect: Callable[[], None] = lambda: None,
    ) -> NoReturn:
        """Connect, and again whenever the connection is lost, until cancelled.

        ``on_message`` must only move the message somewhere: while it runs nothing else is read.
        ``on_connect`` runs after each subscribe, beside the reading; an error of the broker in it
        gives the connection up and makes it again, any other is a bug and is raised. ``on_disconnect``
        runs after each loss.
        """
        failures = 0
        where = {"client": self._client_id}
        while True:
            try:
                async with self._new_client() as client:
                    failures = 0
                    await self._stay(client, on_message, on_connect)
            except aiomqtt.MqttError as error:
                if _is_protocol_refused(error) and self._protocol is aiomqtt.ProtocolVersion.V5:
                    log.info(
                        "%s: the broker speaks no MQTT 5; using 3.1.1", self._name, extra=where
                    )
                    self._protocol = aiomqtt.ProtocolVersion.V311
                    continue
                self._failed(in_words(error))
            finally:
                if self._client is not None:
                    self._lost()
                    on_disconnect()
            _heed_cancellation()
            wait_s = min(BACKOFF_CAP_S, BACKOFF_FIRST_S * 2**failures)
            failures = min(failures + 1, 10)
            await asyncio.sleep(random.uniform(wait_s / 2, wait_s))  # noqa: S311 -- spreads load, no secret

    def _lost(self) -> None:
        self._client = None
        for patience in self._unconfirmed:
            # One that has just run out is on its way to its publish, and takes no other time any more.
            if not patience.expired():
                patience.reschedule(asyncio.get_running_loop().time())

    def _failed(self, trouble: str) -> None:
        # Each reason once: who mends one thing sees the next, and a night without a broker is one line.
        level = logging.DEBUG if trouble == self.trouble else logging.WARNING
        self.trouble = trouble
        log.log(
            level,
            "%s: no connection to %s:%d: %s; trying again until there is one",
            self._name,
            self._broker.host,
            self._broker.port,
            trouble,
            extra={"client": self._client_id},
        )

    async def _stay(
        self,
        client: aiomqtt.Client,
        on_message: Callable[[Message], None],
        on_connect: Callable[[], Awaitable[None]],
    ) -> None:
        for pattern in self._subscriptions:
            await client.subscribe(pattern, qos=QOS)
        _heed_cancellation()
        self._client, self.trouble = client, None
        log.info(
            "%s: connected to %s:%d",
            self._name,
            self._broker.host,
            self._broker.port,
            extra={"client": self._client_id},
        )
        reading = asyncio.ensure_future(self._read(client, on_message))
        greeting = asyncio.ensure_future(on_connect())
        try:
            done, _ = await asyncio.wait({reading, greeting}, return_when=asyncio.FIRST_COMPLETED)
            if greeting in done:
                greeting.result()  # a hello that failed ends the connection
            await reading
        except asyncio.CancelledError:
            await self._say_goodbye(client)
            raise
        finally:
            for task in (reading, greeting):
                task.cancel()
            await asyncio.gather(reading, greeting, return_exceptions=True)

    async def _read(self, client: aiomqtt.Client, on_message: Callable[[Message], None]) -> None:
        async for message in client.messages:
            if isinstance(message.payload, bytes):
                on_message(Message(str(message.topic), message.payload, bool(message.retain)))

    async def _say_goodbye(self, client: aiomqtt.Client) -> None:
        if self._will is None:
            return
        with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                await client.publish(self._will.topic, self._will.payload, qos=QOS, retain=True)

    def _new_client(self) -> aiomqtt.Client:
        broker, will = self._broker, self._will
        is_v5 = self._protocol is aiomqtt.ProtocolVersion.V5
        return aiomqtt.Client(
            broker.host,
            broker.port,
            identifier=self._client_id,
            username=broker.username,
            password=broker.password.get_secret_value() if broker.password else None,
            keepalive=broker.keepalive_s,
            protocol=self._protocol,
            will=self._last_will(will, is_v5=is_v5) if will else None,
            # 3.1.1 has no clean_start, 5 no clean_session; each raises on the other's.
            clean_start=self._session_expiry_s == 0 if is_v5 else 3,
            clean_session=None if is_v5 else self._session_expiry_s == 0,
            properties=self._connect_properties() if is_v5 else None,
            tls_context=ssl.create_default_context(cafile=broker.ca_file) if broker.tls else None,
            timeout=PUBLISH_TIMEOUT_S,
        )

    def _last_will(self, will: Will, *, is_v5: bool) -> aiomqtt.Will:
        properties = None
        if is_v5 and self._session_expiry_s > WILL_DELAY_S:
            properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]  # paho declares no types here
            properties.WillDelayInterval = WILL_DELAY_S
        return aiomqtt.Will(will.topic, will.payload, QOS, retain=True, properties=properties)

    def _connect_properties(self) -> Properties:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho declares no types here
        properties.SessionExpiryInterval = self._session_expiry_s
        return properties


def _heed_cancellation() -> None:
    """Raise the cancellation that the library swallowed, if it did.

    It waits with ``asyncio.wait_for``, which before Python 3.12 returns normally when the answer and
    the cancellation come in the same turn of the loop (https://github.com/python/cpython/issues/86296).
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def in_words(error: Exception) -> str:
    """Say why there is no connection, and what to do where that is known."""
    if _reason(error) in REFUSED_CREDENTIALS:
        return f"it does not let us in ({error}): check username and password"
    return str(error) or type(error).__name__


def _is_protocol_refused(error: aiomqtt.MqttError) -> bool:
    return _reason(error) in {REFUSED_PROTOCOL, 1}


def _reason(error: Exception) -> object:
    """Return the CONNACK's reason; None when the broker gave none."""
    code = getattr(error, "rc", None)
    return getattr(code, "value", code)
