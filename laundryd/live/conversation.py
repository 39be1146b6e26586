"""What a client says: reading its frames, one after the other, until it is gone."""

from __future__ import annotations

import json
import logging
import re
from typing import Final

from pydantic import ValidationError

from laundryd.live.asgi import Message, Receive
from laundryd.live.connection import Connection, encode
from laundryd.live.desk import Desk
from laundryd.live.door import Door
from laundryd.live.hub import Hub, now_s
from laundryd.live.welcoming import EdgeStatusOf, welcome
from laundryd.wire import frames
from laundryd.wire.close_codes import CloseCode
from laundryd.wire.commands import CommandError, CommandName
from laundryd.wire.errors import ERRORS, ErrorCode
from laundryd.wire.events import AckKind
from laundryd.wire.ids import ID_PATTERN

log = logging.getLogger(__name__)

OUR_TROUBLE: Final = 1011
"""RFC 6455 section 7.4.1: the server met something unexpected; the client comes back."""
_OURS: Final = 500
"""From this status on an error is ours or the room's, and no misdeed of who hears it."""
_CLOSED_BY_READER: Final = frozenset({1000, 1001})
"""RFC 6455 section 7.4.1: done, or the page went away; anything else is a network's doing."""
_ID: Final = re.compile(ID_PATTERN)
_PONG: Final = encode(frames.Pong())


class Conversation:
    """One client's side of the talk."""

    __slots__ = ("_connection", "_desk", "_door", "_edge_status", "_hub", "_receive", "_spawn")

    def __init__(
        self,
        hub: Hub,
        desk: Desk,
        door: Door,
        connection: Connection,
        receive: Receive,
        *,
        edge_status: EdgeStatusOf,
    ) -> None:
        self._hub = hub
        self._desk = desk
        self._door = door
        self._connection = connection
        self._receive = receive
        self._edge_status = edge_status
        self._spawn = connection.spawn

    async def run(self) -> bool:
        """Talk until the connection has ended; True if its reader closed it on purpose."""
        connection = self._connection
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return connection.close_code is None and message.get("code") in _CLOSED_BY_READER
            if connection.closing:
                continue
            connection.heard_s = now_s()
            try:
                await self._take(message)
            except Exception:
                # One client's frame must not end the server; it resumes and loses nothing.
                log.exception("live: a frame failed", extra=self._who())
                self._hub.counts.error(ErrorCode.INTERNAL)
                connection.close(OUR_TROUBLE)

    async def _take(self, message: Message) -> None:
        text = message.get("text")
        if not isinstance(text, str):
            self._break_off(CloseCode.BAD_FRAME, ErrorCode.NOT_JSON)
            return
        if self._is_too_large(text):
            self._break_off(CloseCode.FRAME_TOO_LARGE, ErrorCode.TOO_LARGE)
            return
        try:
            frame = frames.CLIENT_FRAME.validate_json(text)
        except ValidationError as error:
            self._take_invalid(text, error)
            return
        if isinstance(frame, frames.Identify):
            await self._identify(frame)
        elif self._connection.session_id is None:
            self._break_off(CloseCode.NOT_IDENTIFIED, ErrorCode.INVALID_BODY)
        else:
            await self._handle(frame)

    def _is_too_large(self, text: str) -> bool:
        limit = self._hub.settings.frame_max_bytes
        return len(text) > limit or (not text.isascii() and len(text.encode()) > limit)

    async def _identify(self, frame: frames.Identify) -> None:
        connection = self._connection
        if connection.session_id is not None:
            self._break_off(CloseCode.BAD_FRAME, ErrorCode.INVALID_BODY)
            return
        connection.identifying = True
        await welcome(
            self._hub,
            self._desk,
            self._door,
            connection,
            frame,
            edge_status=self._edge_status,
        )

    async def _handle(
        self,
        frame: frames.Ack
        | frames.Read
        | frames.Attention
        | frames.Command
        | frames.Ping
        | frames.Pong,
    ) -> None:
        match frame:
            case frames.Ping():
                self._hub.counts.frames("pong", self._connection.deliver(_PONG))
            case frames.Pong():
                pass  # it was heard, that is all it says
            case frames.Attention():
                self._hub.attend(self._connection, frame)
            case frames.Ack():
                await self._acknowledge(frame.notice_ids, AckKind.SHOWN)
            case frames.Read():
                await self._acknowledge(frame.notice_ids, AckKind.READ)
            case frames.Command():
                self._command(frame)

    async def _acknowledge(self, notice_ids: list[str], kind: AckKind) -> None:
        connection = self._connection
        if connection.session_id is not None:
            await self._desk.acked(
                connection.admission.resident, connection.session_id, notice_ids, kind
            )

    # -- commands

    def _command(self, frame: frames.Command) -> None:
        connection = self._connection
        if frame.room not in connection.admission.rooms:
            self._refuse(frame.id, ErrorCode.FOREIGN_ROOM)
        elif connection.commands >= self._hub.settings.commands_max:
            self._refuse(
                frame.id,
                ErrorCode.BUSY,
                f"{connection.commands} of your commands are under way; wait for their results.",
            )
        else:
            connection.commands += 1
            # A remote room may take seconds to answer; pings and others' frames do not wait for it.
            task = self._carry_out(frame)
            if not self._spawn(task):
                task.close()
                connection.commands -= 1
                connection.close(CloseCode.GOING_AWAY)

    async def _carry_out(self, frame: frames.Command) -> None:
        connection = self._connection
        try:
            result = await self._desk.command(connection.admission.resident, frame)
        except Exception:
            log.exception(
                "live: command %s failed",
                frame.name,
                extra={**self._who(), "room": frame.room, "machine": frame.machine},
            )
            result = _refusal(frame.id, ErrorCode.INTERNAL)
        finally:
            connection.commands -= 1
        self._answer(result)

    def _refuse(self, command_id: str, code: ErrorCode, said: str = "") -> None:
        self._answer(_refusal(command_id, code, said))
        if code is ErrorCode.BUSY:  # by their own commands, not by ours
            self._count_misdeed()

    def _answer(self, result: frames.Result) -> None:
        """Send a result to the session, wherever it is connected by now."""
        hub, connection = self._hub, self._connection
        target: Connection | None = connection
        if connection.closing and connection.session_id is not None:
            target = hub.sessions.current(connection.session_id, connection.admission.resident)
        if target is not None:
            hub.tell_all([target], result)
        if result.error is not None:
            hub.counts.error(result.error.code)
            if ERRORS[result.error.code].status < _OURS:
                self._count_misdeed()

    # -- bad input

    def _take_invalid(self, text: str, error: ValidationError) -> None:
        """Answer a command with a wrong field by a result; break off for everything else."""
        command_id = _command_id(text)
        if command_id is None or self._connection.session_id is None:
            unknown = self._connection.session_id is None and _is_object(text)
            code = CloseCode.NOT_IDENTIFIED if unknown else CloseCode.BAD_FRAME
            self._break_off(code, ErrorCode.INVALID_BODY)
            return
        fields = sorted(
            {".".join(str(part) for part in item["loc"][1:]) for item in error.errors()}
        )
        if fields == ["name"]:
            allowed = ", ".join(CommandName)
            self._refuse(command_id, ErrorCode.UNKNOWN_COMMAND, f"Use one of {allowed}.")
        else:
            self._refuse(command_id, ErrorCode.INVALID_BODY, f"Wrong: {', '.join(fields)}.")

    def _break_off(self, close: CloseCode, code: ErrorCode) -> None:
        self._hub.counts.error(code)
        log.info("live: closed with %d after a bad frame", close, extra=self._who())
        self._count_misdeed()
        self._connection.close(close)

    def _count_misdeed(self) -> None:
        """Count a refused frame of this resident; one too many ends the connection and shuts them out."""
        if self._hub.misdeeds.count(self._connection.admission.resident, now_s()):
            self._connection.close(CloseCode.TOO_MANY_ERRORS)

    def _who(self) -> dict[str, object]:
        admission = self._connection.admission
        return {"resident": admission.resident, "session": self._connection.session_id}


def _refusal(command_id: str, code: ErrorCode, said: str = "") -> frames.Result:
    row = ERRORS[code]
    message = f"{row.title}. {said or row.remedy}"
    return frames.Result(id=command_id, ok=False, error=CommandError(code=code, message=message))


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_object(text: str) -> bool:
    return isinstance(_parse(text), dict)


def _command_id(text: str) -> str | None:
    """Return the id of something that is meant to be a command, None if it is not even that."""
    found = _parse(text)
    if not isinstance(found, dict) or found.get("type") != "command":
        return None
    command_id = found.get("id")
    return command_id if isinstance(command_id, str) and _ID.fullmatch(command_id) else None
