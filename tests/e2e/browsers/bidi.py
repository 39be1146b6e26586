"""WebDriver BiDi over one WebSocket: commands, their answers, and JavaScript.

Source: https://w3c.github.io/webdriver-bidi/.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping, Sequence

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

JsonValue = str | float | bool | list["JsonValue"] | dict[str, "JsonValue"] | None

ANSWER_WITHIN_S = 60.0


class BidiError(Exception):
    """The browser refused a command, did not answer, is gone, or a script threw."""


class BidiConnection:
    """The commands of one browser; it owns the WebSocket and a task that reads from it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Mapping[str, JsonValue]]] = {}
        self._reader = asyncio.create_task(self._read())

    async def command(self, method: str, **params: object) -> dict[str, JsonValue]:
        """Send a command and return its result.

        Raises:
            BidiError: it was refused, not answered within ``ANSWER_WITHIN_S``, or the browser is
                gone.

        """
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._socket.send(
                    json.dumps({"id": number, "method": method, "params": params})
                )
                if self._reader.done():
                    raise BidiError(f"{method}: the browser is gone")
                answer = await self._answers[number]
        except ConnectionClosed as error:
            raise BidiError(f"{method}: the browser is gone") from error
        except TimeoutError:
            raise BidiError(f"{method}: no answer within {ANSWER_WITHIN_S} s") from None
        finally:
            del self._answers[number]
        if answer["type"] == "error":
            raise BidiError(f"{method}: {answer['error']}: {answer['message']}")
        result = answer["result"]
        return result if isinstance(result, dict) else {}

    async def call(
        self,
        function: str,
        context: str,
        arguments: Sequence[str | None] = (),
        *,
        as_user: bool = False,
    ) -> JsonValue:
        """Call a JavaScript function that gives a JSON text, and return its value.

        Raises:
            BidiError: the function threw, or see ``command``.

        """
        answer = await self.command(
            "script.callFunction",
            functionDeclaration=function,
            target={"context": context},
            arguments=[
                {"type": "null"} if argument is None else {"type": "string", "value": argument}
                for argument in arguments
            ],
            awaitPromise=True,
            userActivation=as_user,
        )
        match answer:
            case {"type": "success", "result": {"type": "string", "value": str(text)}}:
                value: JsonValue = json.loads(text)
                return value
            case {"type": "success", "result": {"type": "undefined"}}:
                return None
            case {"exceptionDetails": {"text": thrown}}:
                raise BidiError(f"JavaScript threw {thrown}")
            case _:
                raise BidiError(f"JavaScript gave no JSON text, but {answer}")

    async def close(self) -> None:
        """Close the WebSocket and wait until nothing is read any more."""
        await self._socket.close()
        await self._reader

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                answer = json.loads(text)
                waiting = self._answers.get(answer.get("id"))
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        except ConnectionClosed:
            pass  # a killed browser says no goodbye; whoever waits is told below
        finally:
            for waiting in self._answers.values():
                if not waiting.done():
                    waiting.set_exception(BidiError("the browser is gone"))
