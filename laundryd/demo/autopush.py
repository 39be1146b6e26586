"""The browser's side of the push service: the WebSocket protocol of Mozilla's autopush.

Firefox connects to ``dom.push.serverURL``, says hello with the id it was given before, registers a
channel for each subscription and acknowledges each message. Source of the messages' shapes:
https://mozilla-services.github.io/autopush-rs/ and Firefox's dom/push/PushServiceWebSocket.sys.mjs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from laundryd.demo.push_mailbox import StoredMessage
from laundryd.demo.push_subscriptions import PushSubscriptions, UserAgent
from laundryd.demo.vapid_check import base64url_decode, base64url_encode

log = logging.getLogger(__name__)

SUBPROTOCOL = "push-notification"
STATUS_BAD_REQUEST = 400

Frame = dict[str, object]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A browser's word on one message: 100 shown to the page's worker, 101 cannot decrypt, 102 else."""

    version: str
    code: int


class BrowserConnection:
    """One browser's connection from its hello to its end.

    Args:
        subscriptions: the service's registry.
        endpoint_of: makes the endpoint of a subscription's token.
        now_s: seconds since 1970.
        on_change: called when the browser has connected, subscribed, acknowledged or gone.
        acknowledgements: where the browser's acknowledgements are written down.

    """

    def __init__(
        self,
        *,
        subscriptions: PushSubscriptions,
        endpoint_of: Callable[[str], str],
        now_s: Callable[[], float],
        on_change: Callable[[], None],
        acknowledgements: list[Acknowledgement],
    ) -> None:
        self.user_agent: UserAgent | None = None
        self._subscriptions = subscriptions
        self._endpoint_of = endpoint_of
        self._now_s = now_s
        self._on_change = on_change
        self._acknowledgements = acknowledgements
        self._outgoing: asyncio.Queue[Frame] = asyncio.Queue()

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Read until the connection ends; a separate task writes, so that pushes never wait here."""
        writer = asyncio.create_task(self._write(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._read(message.data)
                    self._on_change()
        finally:
            if self.user_agent is not None:
                self.user_agent.mailbox.disconnect(self._deliver)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            self._on_change()

    async def _write(self, socket: web.WebSocketResponse) -> None:
        while True:
            frame = await self._outgoing.get()
            try:
                await socket.send_str(json.dumps(frame))
            except (ConnectionError, RuntimeError):
                return  # the reader sees the end too; unacknowledged messages stay in the mailbox

    def _read(self, text: str) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            frame = None
        if not isinstance(frame, dict):
            log.warning("a browser sent a frame that is no JSON object; skipped")
            return
        kind = frame.get("messageType", "ping" if not frame else None)
        if kind == "hello":
            self._hello(frame)
        elif kind == "ping":
            self._outgoing.put_nowait({})
        elif kind in ("broadcast_subscribe", "nack"):
            pass  # we have no broadcasts, and a refused message comes again at the next hello
        elif self.user_agent is None:
            log.warning("a browser sent %r before its hello; skipped", kind)
        elif kind == "register":
            self._register(self.user_agent, frame)
        elif kind == "unregister":
            channel_id = str(frame.get("channelID"))
            self._subscriptions.unsubscribe(self.user_agent, channel_id)
            self._answer("unregister", channelID=channel_id, status=200)
        elif kind == "ack":
            self._acknowledge(self.user_agent, frame)
        else:
            log.warning("a browser sent a frame of unknown type %r; skipped", kind)

    def _hello(self, frame: Frame) -> None:
        uaid = frame.get("uaid")
        # An unknown id gets a new one, upon which the browser drops its subscriptions.
        self.user_agent = self._subscriptions.user_agent(uaid if isinstance(uaid, str) else None)
        self._answer(
            "hello", uaid=self.user_agent.uaid, status=200, use_webpush=True, broadcasts={}
        )
        self.user_agent.mailbox.connect(self._deliver, now_s=self._now_s())

    def _register(self, user_agent: UserAgent, frame: Frame) -> None:
        channel_id = str(frame.get("channelID"))
        key = frame.get("key")
        try:
            raw_key = base64url_decode(key) if isinstance(key, str) else None
        except ValueError:
            self._answer("register", channelID=channel_id, status=STATUS_BAD_REQUEST)
            return
        subscription = self._subscriptions.subscribe(user_agent, channel_id, raw_key)
        self._answer(
            "register",
            channelID=channel_id,
            status=200,
            pushEndpoint=self._endpoint_of(subscription.token),
        )

    def _acknowledge(self, user_agent: UserAgent, frame: Frame) -> None:
        updates = frame.get("updates")
        for update in updates if isinstance(updates, list) else ():
            version, code = str(update.get("version")), update.get("code")
            user_agent.mailbox.acknowledge(version)
            self._acknowledgements.append(
                Acknowledgement(version, code if isinstance(code, int) else 0)
            )

    def _deliver(self, stored: StoredMessage) -> None:
        frame: Frame = {
            "messageType": "notification",
            "channelID": stored.channel_id,
            "version": stored.version,
            "ttl": stored.message.ttl_s,
        }
        if stored.message.body:
            frame["data"] = base64url_encode(stored.message.body)
            frame["headers"] = {"encoding": "aes128gcm"}
        self._outgoing.put_nowait(frame)

    def _answer(self, kind: str, **fields: object) -> None:
        self._outgoing.put_nowait({"messageType": kind, **fields})
